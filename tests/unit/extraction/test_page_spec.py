"""What is looked for, and when looking is of no use."""

from __future__ import annotations

import pytest

from pagemill.config.platform import Platform
from pagemill.errors import DeadlineExceeded
from pagemill.extraction.page_spec import PagePlace, Search, Want, Watch
from pagemill.extraction.time_budget import TimeBudget

JUDGE = {"gone": {"status": [404], "text": ["gone", "both"]}, "blocked": {"status": [403], "text": ["both", "robot"]}}


def test_a_watch_knows_the_signs_of_its_platform() -> None:
    """Each text once, in the order in which they are judged."""
    extract = {"fields": {"name": "h1"}}
    rules = Platform.model_validate({"platform": "p", "hosts": ["a.example"], "extract": extract, "judge": JUDGE})
    watch = Watch.of(rules, (("h1", None),), ready="body")
    assert watch == Watch(
        places=(PagePlace(("h1",)),),
        ready="body",
        wants=(Want((0,)),),
        searches=tuple(Search(text, ends=True) for text in ("gone", "both", "robot")),
        end_statuses=frozenset({403, 404}),
    )


@pytest.mark.parametrize(
    ("status", "with_texts", "without"),
    [(None, False, False), (200, False, False), (404, True, True), (500, False, True)],
)
def test_a_status_settles_what_no_text_could_change(status: int | None, with_texts: bool, without: bool) -> None:
    """A 500 with texts to look for is worth a look."""
    assert (
        Watch(end_statuses=frozenset({404}), searches=(Search("robot", ends=True),)).is_settled_by(status) is with_texts
    )
    assert Watch(end_statuses=frozenset({404})).is_settled_by(status) is without


def test_a_budget_runs_out() -> None:
    """What is left is always more than nothing; then it is over, and the whole of it is told."""
    assert 0 < TimeBudget(5).left_s("x") <= 5
    with pytest.raises(DeadlineExceeded, match="timeout: reading took longer than 0 s"):
        TimeBudget(0).left_s("reading")
