"""Pages whose scripts make what is read, said or sent as large as they can: the worker and the next product go on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.extraction.local_shop import LocalShop, html
from tests.browser.hostile.cup import HEADING, platform, visited
from tests.browser.hostile.lanes import Lanes

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_LD = """const s = document.createElement('script');
  s.type = 'application/ld+json';
  document.head.append(s);
  s.textContent = """
_FRAME = "document.body.append(Object.assign(document.createElement('iframe'), {src: 'data:,' + 'x'.repeat(1e8)}))"
_CUP = {"name": {"selector": "h1"}, "price": {"selector": ".price", "type": "number"}}
_LATER_MS = 1500
_READ: dict[str, tuple[str | dict[str, Any], str, str]] = {
    "JSON-LD": ("structured", "", _LD + """'{"@type": "Product", "name": "' + 'x'.repeat(5e8) + '"}'"""),
    "a variable with one text": ("variable", "", "var state = {price: 12900, name: 'x'.repeat(5e8)}"),
    "a variable with many texts": (
        "variable",
        "",
        """var state = {name: 'Blue cup', price: 12900, l: []};
        for (let i = 0; i < 1200; i++) state.l[i] = 'x'.repeat(5e5) + i""",
    ),
    "a variable with a million keys": (
        "variable",
        "",
        "var state = {name: 'Blue cup', price: 12900}; for (let i = 0; i < 1e6; i++) state['k' + i] = i",
    ),
    "a variable of 100,000 levels": (
        "variable",
        "",
        "var state = {name: 'Blue cup', price: 12900}, s = state; for (let i = 0; i < 1e5; i++) s = s.x = {}",
    ),
    "a title": (
        {"strategy": "dom", "fields": {**_CUP, "name": "title"}},
        HEADING,
        "document.title = 'x'.repeat(5e8)",
    ),
    "an attribute": (
        {"strategy": "dom", "fields": {**_CUP, "name": {"selector": "h1", "attribute": "title"}}},
        HEADING,
        "document.querySelector('h1').title = 'x'.repeat(5e8)",
    ),
    "a million elements": (
        {"strategy": "dom", "fields": {**_CUP, "name": {"selector": "h1", "visible": True}}},
        HEADING + "<div>",
        "document.querySelector('div').innerHTML = '<h1></h1>'.repeat(1e6)",
    ),
}


@pytest.mark.parametrize("what", _READ)
async def test_what_is_read(what: str, quick_lanes: Lanes, local_shop: LocalShop) -> None:
    """It fails, or is told as cut."""
    source, page, script = _READ[what]
    local_shop.replies["/p/bad"] = html(f"{page}<script>{script}</script>")
    bad, _ = await visited(quick_lanes, local_shop, platform(local_shop, source))
    assert bad.verdict == "failed"


async def test_as_much_as_may_be_read_in_as_many_bytes_as_can_be(lanes: Lanes, local_shop: LocalShop) -> None:
    """Eight million characters, each sent as six."""
    fields = {**_CUP, **{f"more{number}": "h2" for number in range(8)}}
    script = "document.querySelector('h2').textContent = '\\u{1F600}'.repeat(1e6)"
    local_shop.replies["/p/bad"] = html(f"{HEADING}<h2></h2><script>{script}</script>")
    bad, _ = await visited(lanes, local_shop, platform(local_shop, {"strategy": "dom", "fields": fields}))
    assert (bad.verdict, bad.facts["more7"]) == ("ok", None)


_SAID = {
    "alert": "alert('x'.repeat(1e8))",
    "prompt": "prompt('', 'x'.repeat(1e8))",
    "100,000 dialogs": "for (let i = 0; i < 1e5; i++) alert(i)",
    "console": """for (let i = 0; i < 1e4; i++) console.log(i, {a: [i]});
      for (let i = 0; i < 9; i++) console.log('x'.repeat(1e8) + i)""",
    "a request's body": "fetch('/x', {method: 'POST', body: 'x'.repeat(1e8)})",
    "many requests' bodies": "for (let i = 0; i < 50; i++) fetch('/x', {method: 'POST', body: 'x'.repeat(1e7) + i})",
    "a frame's address": _FRAME,
    "addresses": "for (let i = 0; i < 50; i++) history.replaceState(0, '', '#' + i + 'x'.repeat(1e6))",
}


@pytest.mark.parametrize("how", _SAID)
async def test_what_is_said(how: str, lanes: Lanes, local_shop: LocalShop) -> None:
    """What Chromium tells of the page as it goes, while the page keeps its product back."""
    later = f"setTimeout(() => document.body.insertAdjacentHTML('beforeend', `{HEADING}`), {_LATER_MS})"
    local_shop.replies["/p/bad"] = html(f"<body><script>{later}; {_SAID[how]}</script>")
    rules = platform(local_shop, "dom", timeout_s=3)
    rules["extract"]["ready"] = ".price"
    await visited(lanes, local_shop, rules)
