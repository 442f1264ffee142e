"""What `auto` means: how many lanes and places, how often pages are replaced, how large things may grow.

From experience in operation, a page's uses depend on the memory: 16 GB: 10 to 15; 8 GB: 5 to 10; 4 GB: 3 to 5. A
context gets five times the uses of a page. /dev/shm depends on the lanes: 1 GB up to 4, 2 GB up to 8, 4 GB above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pagemill.config.platform import Platform, Rotation
from pagemill.config.section import Auto

_PAGE_USES = ((16_000, 10), (8_000, 7), (4_000, 5))
_FEWEST_PAGE_USES = 3
_PAGES_PER_CONTEXT = 5

BASE_MB = 380
"""What a worker holds without any lane: Python, the driver and Chromium without pages, at their largest."""
LANE_MB = 80
"""What each lane adds: its page, and half of a page that stands by."""
PLANNED_SHARE = 0.85
"""The share of the limit that is planned. The rest is for surprises from shops."""
_SHM_PER_LANE_MB = 256
SHM_ON_PURPOSE_MB = 1024
"""A /dev/shm of at least this size was made for a browser; Docker's default has 64 MB."""
PLACES_PER_CORE = 6
"""A visit mostly waits for its shop. More visits at once would not be faster, and each takes a page."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The memory that one worker process may plan with, in MB."""

    memory_mb: int
    shm_mb: int
    """The size of /dev/shm; 0 if Chromium does not use it."""

    @property
    def lanes_by_memory(self) -> int:
        """How many lanes fit into the memory; at least one."""
        return max(1, int((self.memory_mb * PLANNED_SHARE - BASE_MB) / LANE_MB))

    @property
    def lanes_by_shm(self) -> int | None:
        """How many lanes fit into /dev/shm, at least one; `None` if Chromium does not use it."""
        return max(1, self.shm_mb // _SHM_PER_LANE_MB) if self.shm_mb else None

    def lanes(self, asked: int) -> int:
        """The number of lanes or places that was asked for, or fewer if memory and /dev/shm do not carry so many."""
        return min(asked, self.lanes_by_memory, self.lanes_by_shm or asked)

    @property
    def renderer_limit_mb(self) -> int:
        """The most memory of one page's process."""
        return max(100, min(1500, self.memory_mb // 2))

    @property
    def browser_limit_mb(self) -> int:
        """The most memory of Chromium's main process, or of Playwright's driver."""
        return max(400, min(1500, self.memory_mb // 2))

    @property
    def driver_limit_mb(self) -> int:
        """The most memory of the driver in any case. It is replaced long before, unless replacing it fails."""
        return max(500, self.memory_mb // 4)

    @property
    def python_limit_mb(self) -> int:
        """The most memory of the Python process."""
        return max(300, self.memory_mb // 4)


def budget_of(
    allowed_mb: int, limit_mb: int | Auto, shm_total_mb: int, dev_shm: bool | Auto, processes: int = 1
) -> Budget:
    """The budget of one worker process.

    Args:
        allowed_mb: what the container or the machine has.
        limit_mb: the configured limit of one process, or `auto` for its share of `allowed_mb`, which is never exceeded.
        shm_total_mb: the size of /dev/shm.
        dev_shm: whether Chromium uses it; with `auto` only if it is large enough for the lanes that were asked for.
        processes: how many worker processes share the machine.
    """
    share_mb = allowed_mb // processes
    memory_mb = share_mb if limit_mb == "auto" else min(share_mb, limit_mb)
    return Budget(memory_mb, shm_total_mb // processes if dev_shm is True else 0)


def wanted_places(asked: int | Auto, lanes: Sequence[int], cores: int, shm_mb: int) -> int:
    """How many visits should be at work at once, all platforms together, if memory and /dev/shm carry them.

    Args:
        asked: the setting. With `auto`: a number for each core, but at least the lanes of the largest platform, so that
            one shop alone is not slowed down, and at least one for each platform, so that none waits for another. Never
            more than there are lanes. If /dev/shm was made large for Chromium, never more than it carries.
        lanes: the lanes of each platform.
        cores: of the process.
        shm_mb: the process' share of /dev/shm, if Chromium may use it.
    """
    if asked != "auto":
        return asked
    shared = max(PLACES_PER_CORE * cores, len(lanes))
    if shm_mb >= SHM_ON_PURPOSE_MB:
        shared = min(shared, shm_mb // _SHM_PER_LANE_MB)
    return max(1, min(sum(lanes), max([shared, *lanes])))


def page_uses(memory_mb: int) -> int:
    """After how many uses a page is replaced if that much memory may be used."""
    for at_least_mb, uses in _PAGE_USES:
        if memory_mb >= at_least_mb * 0.95:  # a 16 GB machine reports a little less
            return uses
    return _FEWEST_PAGE_USES


def resolved(platform: Platform, budget: Budget) -> Platform:
    """The platform with a number for every `auto`, and no more lanes than the budget carries."""
    page = page_uses(budget.memory_mb) if platform.rotation.page == "auto" else platform.rotation.page
    context = page * _PAGES_PER_CONTEXT if platform.rotation.context == "auto" else platform.rotation.context
    workflow = platform.workflow
    concurrency = workflow.concurrency.model_copy(update={"default": budget.lanes(workflow.concurrency.default)})
    return platform.model_copy(
        update={
            "rotation": Rotation(page=page, context=context),
            "workflow": workflow.model_copy(update={"concurrency": concurrency}),
        }
    )
