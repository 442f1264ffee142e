"""The script that waits until a page shows what is looked for, and then reads it; see its file."""

from __future__ import annotations

import functools

from pagemill.extraction.scripts.page_script import reading_script
from pagemill.script_files import read_page_script

STOP_SCRIPT = "(name) => { document.dispatchEvent(new Event(name)); }"
"""Ends a watch early; `name` is its `stop`."""


@functools.cache
def watch_script(*, structured: bool, states: bool) -> str:
    """An async function of `spec`."""
    reading = reading_script(structured=structured, states=states)
    return read_page_script(__file__, "watch_script.js", reading_script=reading)
