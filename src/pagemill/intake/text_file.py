"""Opens text files in any encoding that Python knows. A byte that cannot be decoded spoils its row, not the file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TextIO

from pagemill.errors import UsageError

UTF_8 = "utf-8-sig"
"""UTF-8, with BOM or without."""

UNDECODABLE = re.compile("[\udc00-\udcff]")
"""Characters that stand for bytes that could not be decoded; no encoding produces them otherwise."""

_SAMPLE = "id,url\nA,b\n"
"""A test text. Codecs that are not for files (`idna`, `punycode`) fail to decode it, or fail byte by byte."""

_ERRORS = "pagemill.undecodable"
ENCODING_REMEDY = "name the file's encoding with --encoding, such as cp949, euc-kr or utf-16"


def known_encoding(name: str) -> str:
    """The encoding of that name; UTF-8 if it is empty.

    Raises:
        UsageError: Python knows no such encoding, or it cannot decode a file in pieces.
    """
    if not name:
        return UTF_8
    try:
        sample = _SAMPLE.encode(name)
        decoder = codecs.getincrementaldecoder(name)("replace")
        if "".join(decoder.decode(bytes([byte])) for byte in sample) != _SAMPLE:
            raise LookupError(name)
        return UTF_8 if codecs.lookup(name).name == "utf-8" else name
    except (LookupError, ValueError) as error:
        raise UsageError(f"there is no encoding {name[:40]!r}: {ENCODING_REMEDY}") from error


def open_text(path: Path, encoding: str, newline: str) -> TextIO:
    """Opens a file for reading, in an encoding from `known_encoding`."""
    codecs.register_error(_ERRORS, _mark)
    return path.open(encoding=encoding, errors=_ERRORS, newline=newline)


def encoding_name(stream: TextIO) -> str:
    """The file's encoding, for people."""
    return "UTF-8" if stream.encoding == UTF_8 else stream.encoding


def undecodable(stream: TextIO) -> str:
    """What is wrong with a text that could not be decoded, and the remedy."""
    return f"it is not {encoding_name(stream)}: {ENCODING_REMEDY}"


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end
