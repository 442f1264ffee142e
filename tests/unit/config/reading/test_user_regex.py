"""Regular expressions of users: Python's language, and an end to every search."""

from __future__ import annotations

import re
import threading

import pytest
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.config.reading import user_regex
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.config.reading.user_regex import search_regex
from pagemill.errors import PatternTooSlow
from pagemill.telemetry import events

SLOW = "^(.*?,){25}P"
ROW = ",".join("1" * 60)
"""A text that does not fit `SLOW`; Python's own `re` would need years to find that out."""


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"/goods/(?P<id>\d+)", "https://shop.test/goods/12?x=1"),
        (r"^(?!.*(?:찾을 수 없|삭제된)).{3,}$", "라운드 티셔츠"),
        (r"^(?=.*%).*?(\d{1,3}(?:,\d{3})+|\d{4,})\D*$", "30% 12,900원"),
        (r"(?i)SALE|(\w+)(?<=b)", "Ab sale"),
        (r"\{id\}|{id}|x{e}", "x{e} {id}"),
        (r"a{e}", "b"),
        (r"a{2,3}|[{e}]", "caaad"),
        (r"\N{EN DASH}(\d+)", "1–2"),
        (r"가+(나)?", "가가"),
    ],
)
def test_they_mean_what_they_mean_to_python(expression: str, text: str) -> None:
    """Look-around, names, counts, and braces that are just braces."""
    wanted, found = re.search(expression, text), search_regex(expression, text)
    assert (found and (found.span(), found.groups(), found.groupdict())) == (
        wanted and (wanted.span(), wanted.groups(), wanted.groupdict())
    )


def test_a_search_without_end_has_one() -> None:
    """And what was searched for is told."""
    with pytest.raises(PatternTooSlow, match=re.escape(f"the regular expression '{SLOW}' took longer than 0.5 s")):
        search_regex(SLOW, ROW)


def test_the_one_that_froze_a_worker_ends_too() -> None:
    """Nested repetition, against a long number that does not fit."""
    assert search_regex(r"^(\d+,?)+$", "1" * 5_000 + "x") is None


def test_other_threads_go_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog's, for one: it counts while a search lasts, which it could not if the lock were held.

    The search is the only thing that ends here by itself: it waits for nobody.
    """
    monkeypatch.setattr(user_regex, "DEADLINE_S", 1.0)
    counted, begun, ended = [], threading.Event(), threading.Event()

    def count() -> None:
        begun.set()
        while not ended.wait(0.01):
            counted.append(1)

    neighbour = threading.Thread(target=count, name="neighbour")
    neighbour.start()
    begun.wait(5)
    try:
        with pytest.raises(PatternTooSlow):
            search_regex(SLOW, ROW)
        during = len(counted)
    finally:
        ended.set()
        neighbour.join()
    assert during >= 5


def test_an_address_that_takes_too_long_does_not_fit() -> None:
    """It is logged, and after three of them the pattern is not tried any more."""
    pattern = UrlPattern("re:" + SLOW)
    with capture_logs() as lines:
        fits = [pattern.fits(ROW) for _ in range(5)]
    assert fits == [False] * 5
    assert [line["event"] for line in lines] == [events.PATTERN_TOO_SLOW] * 3


def test_an_id_that_takes_too_long_to_find_is_told() -> None:
    """Whoever asks has to say what becomes of the row."""
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["shop.test"],
            "product": {"id": f"(?P<id>{SLOW})"},
            "extract": {"fields": {"name": "h1"}},
        }
    )
    with pytest.raises(PatternTooSlow):
        platform.names_of("p1", ROW)
