"""The scripts that collect what a page holds, from files of their own."""

from __future__ import annotations

import functools

from pagemill.extraction.scripts.page_script import reading_script
from pagemill.script_files import read_page_script


@functools.cache
def evidence_script() -> str:
    """A function of `spec`; see its file."""
    return read_page_script(__file__, "evidence_script.js", page_script=_reader())


@functools.cache
def probe_script() -> str:
    """A function of `spec`; see its file."""
    return read_page_script(__file__, "probe_script.js", page_script=_reader())


@functools.cache
def names_script() -> str:
    """A function of `spec` for the page's own world; see its file."""
    return read_page_script(__file__, "names_script.js")


@functools.cache
def settled_script() -> str:
    """An async function of `spec`; see its file."""
    return read_page_script(__file__, "settled_script.js")


def _reader() -> str:
    return reading_script(structured=False, states=False)
