"""The JavaScript that reads a document. It returns raw data, which Python interprets.

It runs in an isolated world, where the page's scripts have replaced nothing. The length of its answer is bounded.

In (`spec`):
- `places`: what fields are read from, each `{frame, selectors, attribute, split, visible, exists}`;
- `states`: JSON in a script element (`{script}`), a global variable (`{variable}`), or the document itself
  (`{document}`); `bridge`: how variables are asked for, or "" if there are none;
- `structured`: whether to read what the shop publishes for search engines;
- `searches`: texts, each `[selector or "", source of a regular expression, whether it may end the wait, sources of its
  words' expressions, selector of a frame or ""]`;
- `signs`: elements, each `[selector, whether it may end the wait]`;
- `explain`: whether to tell what else fitted;
- the bounds `fieldChars`, `stateChars`, `structuredChars`, `totalChars`.

Out of `read()`: `{raw, states, structured, cut, fitted}`. `raw` has one entry per place: an ordinary one gives a list
with one string or null per selector, a `visible` one a list of `[string, seen]`, an `exists` one true or false.
`states` has one string or null per state. `cut` lists what was longer than its bound, as `[kind, position, length]`,
and the places whose frame was out of reach, as `["frame", position, frameTrouble]`.
`fitted` says per place how many elements there were and what some others say; `requests` lists what the page has
fetched. `findTexts` and `findSigns` fill `found` and `signed` with positions.
"""

from __future__ import annotations

import functools

from pagemill.extraction.published import structured_script
from pagemill.script_files import read_page_script

ELEMENTS = read_page_script(__file__, "document_script.js", "seen_script.js", "shadow_script.js")
"""Gives access to the elements of `page`, a document, and tells which of them a visitor sees."""
_PLACES = read_page_script(__file__, "places_script.js")
_STATES = read_page_script(__file__, "states_script.js")
_SIGNS = read_page_script(__file__, "signs_script.js")
_NO_STATES = "const stateText = () => null, hasState = () => false;"
_NO_STRUCTURED = "const readStructured = () => null, hasStructured = () => false;"


@functools.cache
def reading_script(*, structured: bool, states: bool) -> str:
    """The script that reads the document `page` as `spec` says. Both names must be known where the script is inserted.

    Parts that are not asked for are left out, because the script is sent with every visit.
    """
    parts = [
        ELEMENTS,
        _PLACES,
        _STATES if states else _NO_STATES,
        _SIGNS,
        structured_script.STRUCTURED if structured else _NO_STRUCTURED,
    ]
    return "\n".join(parts)
