"""The scripts that gather what a page holds, read from their files."""

from __future__ import annotations

import functools
from pathlib import Path

from pagemill.extraction.scripts.page_script import reading_script

_FOLDER = Path(__file__).parent


@functools.cache
def evidence_script() -> str:
    """A function of `spec`, beside that of `page_script`; see its file."""
    reader = reading_script(structured=False, states=False)
    return f"(spec) => {{\nconst page = document;\n{reader}\n{_text('evidence_script.js')}\nreturn evidence();\n}}"


@functools.cache
def probe_script() -> str:
    """As `evidence_script`, of what selectors find; see its file."""
    reader = reading_script(structured=False, states=False)
    return f"(spec) => {{\nconst page = document;\n{reader}\n{_text('probe_script.js')}\nreturn probe();\n}}"


@functools.cache
def names_script() -> str:
    """A function of `spec` for the page's own world; see its file."""
    return _text("names_script.js")


@functools.cache
def settled_script() -> str:
    """An async function of `spec`; see its file."""
    return _text("settled_script.js")


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
