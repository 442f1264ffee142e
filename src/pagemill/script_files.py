"""Programs in other languages, each in a file beside the module that uses it: Lua for Redis, JavaScript for pages.

Whoever uses one reads it once and keeps it.
"""

from __future__ import annotations

import re
from pathlib import Path

_COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)
_INDENT = re.compile(r"^\s+", re.MULTILINE)


def read_script(module: str, *names: str) -> str:
    """The text of these files, one behind another. `module` is the file of the module that they stand beside."""
    return "".join(Path(module).with_name(name).read_text(encoding="utf-8") for name in names)


def read_page_script(module: str, *names: str, **parts: str) -> str:
    """As `read_script`, without comment lines and indentation: it is sent to a page again and again. No text in it may
    be longer than a line.

    Args:
        module: as above.
        names: as above.
        parts: scripts that are put in where a comment has their name: `/* name */`.
    """
    text = _INDENT.sub("", _COMMENT.sub("", read_script(module, *names))).strip()
    for name, part in parts.items():
        text = text.replace(f"/* {name} */", part)
    return text
