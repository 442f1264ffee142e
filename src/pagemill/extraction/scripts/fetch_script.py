"""The script that asks the shop for a product from within a page of the shop, and reads the answer; see its file."""

from __future__ import annotations

import functools

from pagemill.extraction.scripts.page_script import reading_script
from pagemill.script_files import read_page_script


@functools.cache
def fetch_script() -> str:
    """An async function of `spec`."""
    reading = reading_script(structured=False, states=False)
    return read_page_script(__file__, "fetch_script.js", reading_script=reading)
