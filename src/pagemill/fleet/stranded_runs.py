"""Finds runs that cannot end by themselves, or only incomplete, and reports each once with its remedy.

Finding is pure; `read_stranded` asks the database and Redis. Repairs nothing: `intake.lost_batches` puts batches back,
and `intake.enqueuer_life` closes runs.
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
"""How long a run that broke off is reported here. It ends by itself; later only the list of runs shows it."""


class Cause(StrEnum):
    """Why a run is stranded."""

    FORGOTTEN = "no worker takes its batches, and its platform is not configured"
    UNSERVED = "no worker takes its batches"
    LOST = "the queue has lost them"
    BROKEN_OFF = "its enqueueing broke off"


@dataclass(frozen=True, slots=True)
class Stranded:
    """A run that cannot end by itself, or only incomplete."""

    run: str
    platform: str
    batches: int
    """The number of batches that wait in vain; 0 for a run that broke off."""
    cause: Cause
    products: int = 0
    """For a run that broke off: the products queued by then. They are worked off, and then the run ends."""

    @property
    def is_broken_off(self) -> bool:
        """Whether the run broke off. It ends by itself, but incomplete."""
        return self.cause is Cause.BROKEN_OFF

    @property
    def why(self) -> str:
        """The cause, for people."""
        return broke_off(self.products) if self.is_broken_off else self.cause.value

    @property
    def remedy(self) -> str:
        """What to do, for people."""
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
        """Run, cause and remedy in one sentence, for people."""
        batches = "1 batch" if self.batches == 1 else f"{self.batches} batches"
        what = self.platform if self.is_broken_off else f"{batches} of {self.platform}"
        return f"run {self.run} ({what}): {self.why}; {self.remedy}"


def find_stranded(
    left: Sequence[Left], queued: Mapping[str, int], served: Collection[str], known: Collection[str]
) -> list[Stranded]:
    """The stranded ones among the runs that are not done.

    Args:
        left: the runs that are not done.
        queued: how many batches the queue has, by platform. For a platform with a run that is still being queued,
            missing batches cannot be counted.
        served: the platforms whose batches some worker takes.
        known: the configured platforms.
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
    """The runs that are stranded now, by name, and those that broke off within the last hour.

    Args:
        redis: the queue's Redis.
        store: open.
        known: gives the configured platforms; called only if needed.

    Raises:
        RedisUnavailable, DatabaseUnavailable: a service is away, so the state is unknown.
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
        # Batches that were done in the meantime are not lost.
        still = {(each.run, each.platform): each.batches for each in asked.left()}
        fewer = [(each, still.get((each.run, each.platform), 0)) for each in left]
        left = [replace(each, batches=min(each.batches, now)) for each, now in fewer if now]
    return find_stranded(left, queued, served, configured) + broken_off


class StrandedSight:
    """Keeps the last findings for callers that must not wait for the database. A thread calls `look` repeatedly."""

    def __init__(self, read: Callable[[], Sequence[Stranded]], now_s: Callable[[], float] = time.monotonic) -> None:
        """`read` returns the stranded runs."""
        self._read = read
        self._now_s = now_s
        self._found: tuple[tuple[Stranded, ...], float] = ((), -math.inf)

    def look(self) -> None:
        """Reads the stranded runs.

        Raises:
            RedisUnavailable, DatabaseUnavailable: the last findings stay valid for half a minute.
        """
        self._found = tuple(self._read()), self._now_s()

    def latest(self) -> tuple[Stranded, ...] | None:
        """The last findings; `None` if they are too old."""
        found, at_s = self._found
        return found if self._now_s() - at_s <= _OLD_S else None


class StrandedWatch:
    """Reports each stranded run once, for as long as it stays stranded."""

    def __init__(
        self,
        read: Callable[[], Sequence[Stranded]],
        look_s: float,
        sure_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            read: returns the stranded runs.
            look_s: the shortest time between two reads, however often `news` is called.
            sure_s: how long a run must be stranded before it is reported, because workers start and end.
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
        """The stranded runs that were not reported yet.

        Raises:
            RedisUnavailable, DatabaseUnavailable: a service is away; the next call tries again.
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
        """The longest time that a run has been stranded by that cause, as of the last read."""
        return max(
            (self._looked_s - since_s for (_, _, why), since_s in self._since_s.items() if why is cause), default=0
        )
