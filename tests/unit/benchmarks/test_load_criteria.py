"""The criteria of a load: what is summed up, what is missed, and that nobody else's machine is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.load import given
from benchmarks.load_criteria import Figures, figures_of, misses
from benchmarks.load_paths import every_path
from pagemill.errors import UsageError

GOOD = Figures(requests=3000, failures=29, mean_ms=499.9, longest_ms=1999, per_s=100.1, hits=0.901)


def stat(requests: int, failures: int, total_ms: float, longest_ms: float) -> dict[str, Any]:
    """One kind of request, as locust tells it."""
    return {
        "num_requests": requests,
        "num_failures": failures,
        "total_response_time": total_ms,
        "max_response_time": longest_ms,
    }


def test_kinds_of_requests_are_summed_up() -> None:
    """The mean weighs each request alike."""
    found = figures_of([stat(90, 0, 900, 50), stat(10, 2, 1100, 700)], seconds=2, hits=95, misses=5)
    assert found == Figures(requests=100, failures=2, mean_ms=20, longest_ms=700, per_s=50, hits=0.95)
    assert found.errors == 0.02


def test_a_load_that_keeps_to_all_misses_nothing() -> None:
    """By a hair."""
    assert misses(GOOD) == []


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("mean response time", {"mean_ms": 500.0}),
        ("longest response time", {"longest_ms": 2000.0}),
        ("requests per second", {"per_s": 100.0}),
        ("errors", {"failures": 30}),
        ("cache hits", {"hits": 0.9}),
    ],
)
def test_each_criterion_can_be_missed(name: str, worse: dict[str, Any]) -> None:
    """And is named, alone."""
    (missed,) = misses(replace(GOOD, **worse))
    assert missed.startswith(f"{name}: ")


def test_a_load_without_a_request_misses_all() -> None:
    """Nothing divided by nothing is no good figure."""
    assert misses(figures_of([], seconds=20, hits=0, misses=0)) == ["not one request was made"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:8003", "http://localhost:8003/", "http://[::1]:8003"])
def test_an_api_of_this_machine_may_be_asked(url: str) -> None:
    """By any of its names."""
    assert given(url).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://10.0.0.1:8003", "https://127.0.0.1", "127.0.0.1:8003", ""]
)
def test_others_are_never_asked(url: str) -> None:
    """Load is an attack there."""
    with pytest.raises(UsageError, match=r"this machine.*127\.0\.0\.1"):
        given(url)


def test_paths_have_their_names_filled_in() -> None:
    """Each is asked once before the load."""
    paths = list(every_path("r1", "w1"))
    assert "/api/performance/report?run=r1&format=html" in paths
    assert "/api/performance/metrics/current?worker=w1" in paths
    assert not any("{" in path for path in paths)
    assert len(set(paths)) == len(paths)
