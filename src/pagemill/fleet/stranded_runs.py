"""Runs that cannot end, or not as a whole, by themselves: found, and told once each to whoever looks, with the remedy.

Finding is pure; `read_stranded` asks the database and Redis. Puts nothing back and closes nothing: that is
`intake.lost_batches`' and `intake.enqueuer_life`'s.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from redis import Redis, RedisError

from pagemill.config.remedies import Remedy
from pagemill.errors import RedisUnavailable
from pagemill.fleet.snapshot import read_fleet
from pagemill.intake.queued_batches import count_of
from pagemill.results.asked_batches import AskedBatches, Left
from pagemill.results.runs import broke_off
from pagemill.results.signs_of_life import SignsOfLife
from pagemill.results.store import ResultStore

_OLD_S = 30.0
_TOLD_FOR = timedelta(hours=1)
"""A run whose enqueueing broke off has ended, or will; afterwards only the list of runs tells it."""


class Cause(StrEnum):
    """Why a run is stranded."""

    FORGOTTEN = "no worker takes its batches, and its platform is not configured"
    UNSERVED = "no worker takes its batches"
    LOST = "the queue has lost them"
    BROKEN_OFF = "its enqueueing broke off"


@dataclass(frozen=True, slots=True)
class Stranded:
    """A run that cannot end by itself, or not as a whole."""

    run: str
    platform: str
    batches: int
    """How many wait in vain; none of a run whose enqueueing broke off."""
    cause: Cause
    products: int = 0
    """Of a run whose enqueueing broke off: how many were handed in by then. They are worked off, and the run ends."""

    @property
    def is_broken_off(self) -> bool:
        """Whether it ends, but not as a whole."""
        return self.cause is Cause.BROKEN_OFF

    @property
    def why(self) -> str:
        """The cause, for people."""
        return broke_off(self.products) if self.is_broken_off else self.cause.value

    @property
    def remedy(self) -> str:
        """What to do."""
        match self.cause:
            case Cause.FORGOTTEN:
                return Remedy.FORGOTTEN.format(platform=self.platform, run=self.run)
            case Cause.UNSERVED:
                return Remedy.UNSERVED.format(platform=self.platform)
            case Cause.LOST:
                return Remedy.LOST
            case Cause.BROKEN_OFF:
                return f"{Remedy.BROKEN_OFF}; or end it: pagemill cancel {self.run}"

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        batches = "1 batch" if self.batches == 1 else f"{self.batches} batches"
        what = self.platform if self.is_broken_off else f"{batches} of {self.platform}"
        return f"run {self.run} ({what}): {self.why}; {self.remedy}"


def find_stranded(
    left: Sequence[Left], queued: Mapping[str, int], served: Collection[str], known: Collection[str]
) -> list[Stranded]:
    """The stranded ones among the runs that are not done.

    Args:
        left: those runs.
        queued: how many batches the queue has, by platform. What runs lack of it that are still being queued, or whose
            platform has such a run, nobody can tell.
        served: the platforms whose batches some worker takes.
        known: those that are configured.
    """
    lost = {platform: -count for platform, count in queued.items()}
    for each in left:
        lost[each.platform] = lost.get(each.platform, 0) + each.batches
    lost |= dict.fromkeys((each.platform for each in left if each.being_queued), 0)
    found = []
    for each in left:
        if each.platform not in served:
            cause = Cause.UNSERVED if each.platform in known else Cause.FORGOTTEN
            found.append(Stranded(each.run, each.platform, each.batches, cause))
        elif lost[each.platform] > 0:
            batches = min(each.batches, lost[each.platform])
            found.append(Stranded(each.run, each.platform, batches, Cause.LOST))
    return found


def read_stranded(redis: Redis, store: ResultStore, known: Callable[[], Collection[str]]) -> list[Stranded]:
    """The stranded runs now, by name; and those whose enqueueing broke off within the last hour.

    Args:
        redis: of the queue.
        store: open.
        known: the platforms that are configured; asked only where it matters.

    Raises:
        RedisUnavailable, DatabaseUnavailable: nobody can say.
    """
    asked = AskedBatches(store)
    since = datetime.now(UTC) - _TOLD_FOR
    broken_off = [
        Stranded(each.run, each.platform, 0, Cause.BROKEN_OFF, each.products)
        for each in SignsOfLife(store).broken_off(since)
    ]
    left = asked.left()
    if not left:
        return broken_off
    try:
        served = {platform for worker in read_fleet(redis) for platform in worker.platforms}
        queued = {platform: count_of(redis, platform) for platform in sorted({each.platform for each in left})}
    except RedisError as error:
        raise RedisUnavailable.gone(error) from error
    configured = known() if any(each.platform not in served for each in left) else ()
    if find_stranded(left, queued, served, configured):
        # Batches that were done meanwhile are not lost.
        still = {(each.run, each.platform): each.batches for each in asked.left()}
        fewer = [(each, still.get((each.run, each.platform), 0)) for each in left]
        left = [replace(each, batches=min(each.batches, now)) for each, now in fewer if now]
    return find_stranded(left, queued, served, configured) + broken_off


class StrandedSight:
    """What was found last, for whoever must not wait for the database. `look` is called again and again by a thread."""

    def __init__(self, read: Callable[[], Sequence[Stranded]], now_s: Callable[[], float] = time.monotonic) -> None:
        """`read` tells which runs are stranded."""
        self._read = read
        self._now_s = now_s
        self._found: tuple[tuple[Stranded, ...], float] = ((), -math.inf)

    def look(self) -> None:
        """Finds them.

        Raises:
            RedisUnavailable, DatabaseUnavailable: what was found before stands for half a minute.
        """
        self._found = tuple(self._read()), self._now_s()

    def latest(self) -> tuple[Stranded, ...] | None:
        """Those that were found, `None` if that is too long ago."""
        found, at_s = self._found
        return found if self._now_s() - at_s <= _OLD_S else None


class StrandedWatch:
    """Looks again and again, and tells each stranded run once for as long as it is."""

    def __init__(
        self,
        read: Callable[[], Sequence[Stranded]],
        look_s: float,
        sure_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            read: tells which are.
            look_s: between two looks, however often it is asked.
            sure_s: how long a run must have been stranded before it is told: workers start and end.
            now_s: monotonic seconds.
        """
        self._read = read
        self._look_s = look_s
        self._sure_s = sure_s
        self._now_s = now_s
        self._looked_s = -math.inf
        self._since_s: dict[tuple[str, str, Cause], float] = {}
        self._told: set[tuple[str, str, Cause]] = set()

    def news(self) -> Iterator[Stranded]:
        """Those that were not told yet.

        Raises:
            RedisUnavailable, DatabaseUnavailable: nobody can say; the next look goes on.
        """
        now_s = self._now_s()
        if now_s - self._looked_s < self._look_s:
            return
        self._looked_s = now_s
        found = {(each.run, each.platform, each.cause): each for each in self._read()}
        self._since_s = {key: self._since_s.get(key, now_s) for key in found}
        self._told &= found.keys()
        for key, each in found.items():
            if key not in self._told and now_s - self._since_s[key] >= self._sure_s:
                self._told.add(key)
                yield each

    def longest_s(self, cause: Cause) -> float:
        """For how long some run has been stranded by that cause, as of the last look."""
        return max(
            (self._looked_s - since_s for (_, _, why), since_s in self._since_s.items() if why is cause), default=0
        )
