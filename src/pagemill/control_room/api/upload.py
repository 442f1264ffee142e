"""Receives a request body that may be large: in chunks, within a size limit, on disk if it is large.

Owns the limits. Does not look at the content.
"""

from __future__ import annotations

import codecs
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from pagemill.control_room.frame.envelope import ApiError
from pagemill.control_room.frame.request_gate import BodyLimit, too_large

JSON_MAX_BYTES = 1024 * 1024
UPLOAD_LIMIT = BodyLimit(32 * 1024 * 1024, 120.0)
MOST_LINES = 250_000

CATALOGUES = {"text/csv": ".csv", "text/tab-separated-values": ".tsv", "application/x-ndjson": ".jsonl"}
"""The media types of catalogues that may be uploaded, and the file extension of each."""
JSON = "application/json"
_CHARSET_REMEDY = (
    "the body must be UTF-8: leave charset out, and name a catalogue's encoding in the query (`?encoding=`)"
)
_REMEDY = f"send JSON (`Content-Type: {JSON}`), or a catalogue as {', '.join(CATALOGUES)}"


def content_type(request: Request) -> str:
    """The body's media type, one of `JSON` and `CATALOGUES`.

    Raises:
        ApiError: the type is another one, or the header names an encoding other than UTF-8.
    """
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() not in (JSON, *CATALOGUES):
        raise ApiError(415, "unsupported_media_type", _REMEDY)
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise ApiError(415, "unsupported_media_type", _CHARSET_REMEDY)
    return kind.strip()


async def read_small(request: Request, take: Callable[[bytes], None]) -> bytes:
    """Reads a body of up to 1 MB, and calls `take` with it.

    Raises:
        HTTPException: the body is larger.
    """
    body = bytearray()
    async for piece in _pieces(request):
        body += piece
        if len(body) > JSON_MAX_BYTES:
            raise too_large(JSON_MAX_BYTES)
    content = bytes(body)
    take(content)
    return content


@contextmanager
def file_for(kind: str) -> Iterator[tuple[IO[bytes], Path]]:
    """A temporary file with the extension of that media type; deleted when the block ends.

    Raises:
        ApiError: the disk is full.
    """
    try:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - not in `with`: errors during its use are handled elsewhere
            prefix="pagemill-upload-", suffix=CATALOGUES[kind]
        )
    except OSError as error:
        raise _no_room(error) from error
    with file:
        yield file, Path(file.name)


async def receive(request: Request, file: IO[bytes], take: Callable[[bytes], None], encoding: str) -> None:
    """Writes the body, text in that encoding, to the file, and calls `take` with each piece.

    Raises:
        ApiError: it has too many lines, or the disk is full. The request gate limits its size and time.
    """
    text = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    lines = 0
    try:
        async for piece in _pieces(request):
            take(piece)
            lines += text.decode(piece).count("\n")
            if lines > MOST_LINES:
                raise ApiError(413, "too_large", f"the catalogue has more than {MOST_LINES:,} lines: send it in parts")
            await run_in_threadpool(file.write, piece)
        await run_in_threadpool(file.flush)
    except OSError as error:
        raise _no_room(error) from error


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise ApiError(400, "bad_request", "the body ended before it was complete") from error


def _no_room(error: OSError) -> ApiError:
    message = f"the upload cannot be kept: {error.strerror}. Free the API's temporary folder, or name another in TMPDIR"
    return ApiError(503, "service_unavailable", message)
