"""Which runs cannot end by themselves, and when that is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pagemill.errors import DatabaseUnavailable
from pagemill.fleet.stranded_runs import Cause, Stranded, StrandedSight, StrandedWatch, find_stranded
from pagemill.results.asked_batches import Left

RUN = Left("run-1", "shop", False, 5)
SERVED = {"shop"}


@pytest.mark.parametrize(
    ("queued", "served", "known", "cause", "batches"),
    [
        (5, SERVED, SERVED, None, 0),
        (7, SERVED, SERVED, None, 0),  # some are done, and the queue has not noted it yet
        (5, SERVED, set(), None, 0),  # whoever takes them knows what to do
        (5, {"other"}, SERVED, Cause.UNSERVED, 5),
        (5, set(), {"other"}, Cause.FORGOTTEN, 5),
        (0, set(), SERVED, Cause.UNSERVED, 5),
        (0, SERVED, SERVED, Cause.LOST, 5),
        (3, SERVED, SERVED, Cause.LOST, 2),
    ],
)
def test_a_run_is_stranded_by_one_cause(
    queued: int, served: set[str], known: set[str], cause: Cause | None, batches: int
) -> None:
    """That which has to be mended first."""
    found = find_stranded([RUN], {"shop": queued}, served, known)
    expected = [] if cause is None else [Stranded("run-1", "shop", batches, cause)]
    assert found == expected


def test_what_several_runs_have_lost_is_told_of_each() -> None:
    """Whose batches they are the counts do not say; no run is told more than it lacks."""
    runs = [RUN, Left("run-2", "shop", False, 100)]
    found = find_stranded(runs, {"shop": 85}, SERVED, SERVED)
    assert [(each.run, each.batches) for each in found] == [("run-1", 5), ("run-2", 20)]


def test_a_run_that_is_being_queued_lacks_nothing() -> None:
    """Its batches are noted before they are on the queue; that nobody takes them is told all the same."""
    runs = [RUN, Left("run-2", "shop", True, 100)]
    assert find_stranded(runs, {"shop": 85}, SERVED, SERVED) == []
    assert len(find_stranded(runs, {"shop": 85}, set(), SERVED)) == 2


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        (Cause.FORGOTTEN, "pagemill cancel run-1"),
        (Cause.UNSERVED, "pagemill worker --platform shop"),
        (Cause.LOST, "within a minute"),
    ],
)
def test_the_sentence_names_the_remedy(cause: Cause, remedy: str) -> None:
    """With run, platform and how many batches."""
    sentence = Stranded("run-1", "shop", 1, cause).sentence
    assert sentence.startswith("run run-1 (1 batch of shop): ")
    assert remedy in sentence


def test_the_sentence_of_a_run_whose_enqueueing_broke_off_names_no_batches() -> None:
    """None waits in vain; how many products were handed in, and what to do."""
    sentence = Stranded("run-1", "shop", 0, Cause.BROKEN_OFF, 4000).sentence
    assert sentence.startswith(
        "run run-1 (shop): its enqueueing broke off after 4000 products; enqueue its catalogue again"
    )
    assert sentence.endswith("pagemill cancel run-1")


class Place:
    """What is stranded, and a clock."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.found: list[Stranded] = []
        self.looks = 0

    def read(self) -> Sequence[Stranded]:
        self.looks += 1
        return self.found

    def watch(self, look_s: float = 5, sure_s: float = 20) -> StrandedWatch:
        return StrandedWatch(self.read, look_s, sure_s, lambda: self.now_s)


LOST, UNSERVED = Stranded("run-1", "shop", 5, Cause.LOST), Stranded("run-1", "shop", 9, Cause.UNSERVED)


def test_what_lasts_is_told_once() -> None:
    """And again when it has been well in between, or for another cause."""
    place = Place()
    watch = place.watch()
    told = []
    for seconds, found in [(0, [LOST]), (10, [LOST]), (20, [LOST]), (30, [LOST]), (40, []), (50, [LOST]), (80, [LOST])]:
        place.now_s, place.found = 100.0 + seconds, found
        told += [(seconds, each) for each in watch.news()]
    assert told == [(20, LOST), (80, LOST)]
    place.now_s, place.found = 200.0, [UNSERVED]
    assert list(watch.news()) == []
    place.now_s = 220.0
    assert list(watch.news()) == [UNSERVED]


def test_it_looks_no_oftener_than_it_should() -> None:
    """However often it is asked."""
    place = Place()
    watch = place.watch(look_s=5, sure_s=0)
    for _ in range(3):
        assert list(watch.news()) == []
    assert place.looks == 1
    place.now_s, place.found = 105.0, [LOST]
    assert list(watch.news()) == [LOST]


def test_it_knows_for_how_long() -> None:
    """By cause, as of the last look."""
    place = Place()
    watch = place.watch(sure_s=0)
    assert watch.longest_s(Cause.LOST) == 0
    place.found = [LOST]
    for place.now_s in (100.0, 130.0):
        list(watch.news())
    assert (watch.longest_s(Cause.LOST), watch.longest_s(Cause.UNSERVED)) == (30, 0)
    place.found, place.now_s = [], 140.0
    list(watch.news())
    assert watch.longest_s(Cause.LOST) == 0


def test_what_was_found_long_ago_is_not_known_any_more() -> None:
    """Nor before the first look; a database that is away for a moment takes nothing away."""
    place = Place()
    is_away = False

    def read() -> Sequence[Stranded]:
        if is_away:
            raise DatabaseUnavailable("away")
        return place.read()

    sight = StrandedSight(read, lambda: place.now_s)
    assert sight.latest() is None
    sight.look()
    assert sight.latest() == ()
    place.found = [LOST]
    sight.look()
    is_away = True
    place.now_s += 20
    with pytest.raises(DatabaseUnavailable):
        sight.look()
    assert sight.latest() == (LOST,)
    place.now_s += 20
    assert sight.latest() is None
