"""Single places of a platform file are changed, and every other character stays."""

from __future__ import annotations

import pytest
import yaml

from pagemill.drafting.file_edit import section_lines, with_section, with_signs

FILE = """\
# A shop.
platform: shop   # its name
hosts: [shop.com]

extract:
  # how it was read
  strategy: dom
  fields:
    name: h1
    price:
      selector: .price
      type: number

# what it means
judge:
  gone: {status: [404, 410], text: [Gone]}   # both ways
  off_sale: {}
  sold_out: {in_stock: false}
  blocked:
    status: [403]   # the firewall
    text:
      - Denied      # in red
      - Robots

retry: {attempts: 2}
"""


def test_section_takes_another_ones_place_and_its_neighbours_stay() -> None:
    """Up to its last line: the comment before the next key is that one's."""
    changed = with_section(FILE, "extract", ["extract:", "  strategy: structured"])
    assert (
        changed
        == FILE[: FILE.index("extract:")]
        + "extract:\n  strategy: structured\n"
        + FILE[FILE.index("\n# what it means") :]
    )
    assert section_lines(FILE, "extract")[-1] == "      type: number"


def test_section_that_is_not_there_comes_at_the_end() -> None:
    """With a blank line before it."""
    changed = with_section("platform: shop\n\n", "judge", ["judge: {}"])
    assert changed == "platform: shop\n\njudge: {}\n"
    assert section_lines(changed, "extract") == []


@pytest.mark.parametrize(
    ("verdict", "kind", "values", "old", "new"),
    [
        ("gone", "text", ["Stopped"], "text: [Gone]}   # both ways", "text: [Gone, Stopped]}   # both ways"),
        ("gone", "url", ["/picks"], "text: [Gone]}", "text: [Gone], url: [/picks]}"),
        ("gone", "status", [404], "status: [404, 410]", "status: [404, 410]"),
        ("off_sale", "text", ["Ended"], "off_sale: {}", "off_sale: {text: [Ended]}"),
        ("sold_out", "text", ["None left"], "{in_stock: false}", "{facts: {in_stock: false}, text: [None left]}"),
        ("blocked", "status", [429], "[403]   # the", "[403, 429]   # the"),
        ("blocked", "text", ["Wait"], "      - Robots\n", "      - Robots\n      - Wait\n"),
        ("blocked", "url", ["/wall"], "      - Robots\n", "      - Robots\n    url: [/wall]\n"),
    ],
)
def test_sign_is_added_where_its_like_stand(verdict: str, kind: str, values: list[object], old: str, new: str) -> None:
    """In lists and mappings of both forms, in the short form, and not twice; nothing else changes."""
    changed = with_signs(FILE, {verdict: {kind: values}})
    assert changed == FILE.replace(old, new)
    assert FILE.count(old) == 1
    assert yaml.safe_load(changed)["judge"][verdict].get(kind, values)


def test_sign_of_an_answer_becomes_one_of_two() -> None:
    """A mapping of its own is a list then."""
    text = "judge:\n  gone:\n    status: []   # never alone\n    error:\n      path: a.b\n      words: [X]\nretry: {}\n"
    changed = with_signs(text, {"gone": {"error": [{"path": "c", "words": ["Y"]}]}})
    errors = yaml.safe_load(changed)["judge"]["gone"]["error"]
    assert errors == [{"path": "a.b", "words": ["X"]}, {"path": "c", "words": ["Y"]}]
    assert "status: []   # never alone" in changed
    assert changed.endswith("retry: {}\n")


def test_file_without_judge_gets_one() -> None:
    """And a verdict that `judge` does not have comes behind the others."""
    changed = with_signs("platform: shop\n", {"gone": {"url": ["/picks"]}})
    assert yaml.safe_load(changed) == {"platform": "shop", "judge": {"gone": {"url": ["/picks"]}}}
    more = with_signs(changed, {"sold_out": {"text": ["None left"]}})
    assert yaml.safe_load(more)["judge"] == {"gone": {"url": ["/picks"]}, "sold_out": {"text": ["None left"]}}
