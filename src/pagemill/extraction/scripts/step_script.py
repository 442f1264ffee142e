"""The scripts that do steps in a page, one try at a time; see their files."""

from __future__ import annotations

from pagemill.extraction.scripts.page_script import ELEMENTS
from pagemill.script_files import read_page_script

_LEAVING = read_page_script(__file__, "leaving_script.js")

WHERE_SCRIPT = read_page_script(__file__, "where_script.js", leaving_script=_LEAVING)
STEP_SCRIPT = read_page_script(__file__, "step_script.js", leaving_script=_LEAVING, elements=ELEMENTS)
