"""Which texts are refused as selectors."""

from __future__ import annotations

import pytest

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.css_selector import check_selector


@pytest.mark.parametrize(
    "selector",
    [
        "h1",
        "*:has(> * > h3) > :nth-child(3)",
        'meta[property="og:title"]',
        "a[href='/x?a=(b']",
        "li:first-child, li:last-of-type, p:first-line",
        ":is(h1, h2):not(.a)",
        r".sm\:text-lg .\[x\]",
        '[data-a="{b: 1}"]',
        '[title="a :contains(b) >> c"]',
        "#__NEXT_DATA__",
        "tr:nth-child(even) > td",
        "a[href$='.html']",
        ".visible, .text, .first",
        "a:not([href^='//'])",
    ],
)
def test_css_is_accepted(selector: str) -> None:
    """Whatever a browser can read."""
    assert check_selector(selector) == selector


@pytest.mark.parametrize(
    "selector",
    [
        "//h1",
        "./div",
        "(//a)[1]",
        "xpath=//h1",
        "text=Sold out",
        "div >> h1",
        "p:contains('x')",
        "p:eq(0)",
        "p:visible",
        "li:first",
        "h1[",
        "h1]",
        "a:not(.b",
        "a:not(.b]",
        '[a="b]',
        "h1 >",
        ", h1",
        "h1,,h2",
        "h1 {",
        '[data-id="{id}"]',
    ],
)
def test_what_no_browser_can_read_is_refused(selector: str) -> None:
    """When the file is checked, and not on every visit."""
    with pytest.raises(Mistake):
        check_selector(selector)
