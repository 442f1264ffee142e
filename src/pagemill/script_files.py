"""Reads programs in other languages, each in a file beside its module: Lua for Redis, JavaScript for pages.

Modules read their scripts once, at import.
"""

from __future__ import annotations

import re
from pathlib import Path

_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^\s+", re.MULTILINE)


def read_script(module: str, *names: str) -> str:
    """The text of these files, joined. `module` is the path of the module that they stand beside."""
    return "".join(Path(module).with_name(name).read_text(encoding="utf-8") for name in names)


def read_page_script(module: str, *names: str, **parts: str) -> str:
    """Like `read_script`, but without comment lines and indentation, because the text is sent to many pages.

    No string in it may be longer than a line.

    Args:
        module: the path of the module that the files stand beside.
        names: the files' names.
        parts: scripts to insert, each in place of the comment `/* name */`.
    """
    text = _INDENT.sub("", _COMMENT.sub("", read_script(module, *names))).strip()
    for name, part in parts.items():
        text = text.replace(f"/* {name} */", part)
    return text
