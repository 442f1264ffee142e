"""What `auto` means: how many lanes and places, how often pages are replaced, how large things grow. Tables and sums.

Rotation by the memory there is, from operating experience: 16 GB: a page every 10 to 15 uses; 8 GB: 5 to 10; 4 GB: 3 to
5. Contexts follow at five times the page's number. /dev/shm by lanes: 1 GB up to 4, 2 GB up to 8, 4 GB above.
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
"""What a worker holds before its first lane: Python, the driver and Chromium without pages, at their largest."""
LANE_MB = 80
"""What each lane adds: its page, and half of the one that stands by."""
PLANNED_SHARE = 0.85
"""How much of the limit is planned with; the rest is for what shops do."""
_SHM_PER_LANE_MB = 256
SHM_ON_PURPOSE_MB = 1024
"""A /dev/shm of so much is there for a browser; Docker's own has 64 MB."""
PLACES_PER_CORE = 6
"""A visit mostly waits for its shop: more at once make none of them faster, and each takes a page."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one worker process may plan with, in MB."""

    memory_mb: int
    shm_mb: int
    """The size of /dev/shm; 0 when Chromium does not use it."""

    @property
    def lanes_by_memory(self) -> int:
        """How many lanes the memory carries; at least one."""
        return max(1, int((self.memory_mb * PLANNED_SHARE - BASE_MB) / LANE_MB))

    @property
    def lanes_by_shm(self) -> int | None:
        """How many lanes /dev/shm carries, at least one; `None` when Chromium does not use it."""
        return max(1, self.shm_mb // _SHM_PER_LANE_MB) if self.shm_mb else None

    def lanes(self, asked: int) -> int:
        """As many lanes, or places, as were asked for, or as memory and /dev/shm carry where that is less."""
        return min(asked, self.lanes_by_memory, self.lanes_by_shm or asked)

    @property
    def renderer_limit_mb(self) -> int:
        """What one page's process may take."""
        return max(100, min(1500, self.memory_mb // 2))

    @property
    def browser_limit_mb(self) -> int:
        """What Chromium's main process may take, or Playwright's driver."""
        return max(400, min(1500, self.memory_mb // 2))

    @property
    def driver_limit_mb(self) -> int:
        """What the driver may take in all: a driver is replaced long before, so this means that replacing fails."""
        return max(500, self.memory_mb // 4)

    @property
    def python_limit_mb(self) -> int:
        """What Python may take."""
        return max(300, self.memory_mb // 4)


def budget_of(
    allowed_mb: int, limit_mb: int | Auto, shm_total_mb: int, dev_shm: bool | Auto, processes: int = 1
) -> Budget:
    """The budget of one worker process.

    Args:
        allowed_mb: what the container or the machine has.
        limit_mb: the configured limit of one process, or `auto` for its share of that; it cannot raise what there is.
        shm_total_mb: the size of /dev/shm.
        dev_shm: whether Chromium uses it; `auto` does only where it is large enough for the lanes asked for.
        processes: how many worker processes share the machine.
    """
    share_mb = allowed_mb // processes
    memory_mb = share_mb if limit_mb == "auto" else min(share_mb, limit_mb)
    return Budget(memory_mb, shm_total_mb // processes if dev_shm is True else 0)


def wanted_places(asked: int | Auto, lanes: Sequence[int], cores: int, shm_mb: int) -> int:
    """How many visits should be at work at once, all platforms together, if memory and /dev/shm carry them.

    Args:
        asked: the setting. `auto`: so many for each core, but as many as the platform with most lanes has, so that one
            shop alone is not slowed down, and one for each platform, so that none waits for another one's visits. No
            more than there are lanes. Where /dev/shm was made large for Chromium, no more than it carries.
        lanes: of each platform.
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
    """After how many uses a page is replaced when that much memory may be used."""
    for at_least_mb, uses in _PAGE_USES:
        if memory_mb >= at_least_mb * 0.95:  # a 16 GB machine reports a little less
            return uses
    return _FEWEST_PAGE_USES


def resolved(platform: Platform, budget: Budget) -> Platform:
    """The platform with numbers in place of every `auto`, and no more lanes than the budget carries."""
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
