"""What `auto` means for rotation, by the memory there is."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from pagemill.config.platform import Platform
from pagemill.guard.budget import Budget, budget_of, page_uses, resolved, wanted_places


def shop(lanes: int = 4, **rotation: Any) -> Platform:
    """A platform with that rotation."""
    return Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["shop.test"],
            "workflow": {"concurrency": {"default": lanes}},
            "rotation": rotation,
            "extract": {"fields": {"name": "h1"}},
        }
    )


@pytest.mark.parametrize(
    ("memory_mb", "uses"),
    [
        (128, 3),
        (2_048, 3),
        (3_799, 3),
        (3_900, 5),
        (4_096, 5),
        (7_599, 5),
        (7_900, 7),
        (8_192, 7),
        (15_199, 7),
        (15_700, 10),
        (16_384, 10),
        (256_000, 10),
    ],
)
def test_pages_last_longer_where_there_is_more_memory(memory_mb: int, uses: int) -> None:
    """3, 5, 7 and 10 uses below 4, 8 and 16 GB and above; a machine that reports a little less counts as full."""
    assert page_uses(memory_mb) == uses


@pytest.mark.parametrize(
    ("written", "page", "context"),
    [
        ({}, 7, 35),
        ({"page": "auto", "context": "auto"}, 7, 35),
        ({"page": 4}, 4, 20),
        ({"context": 100}, 7, 100),
        ({"page": 20, "context": 40}, 20, 40),
    ],
)
def test_auto_becomes_a_number_and_numbers_stay(written: dict[str, Any], page: int, context: int) -> None:
    """A context lasts five pages unless it is written otherwise."""
    platform = resolved(shop(**written), Budget(8_192, 0))
    assert (platform.rotation.page, platform.rotation.context) == (page, context)


def test_nothing_but_the_rotation_changes() -> None:
    """And the platform that was given stays as it was."""
    platform = shop()
    changed = resolved(platform, Budget(8_192, 0))
    assert platform.rotation.page == "auto"
    assert changed.model_copy(update={"rotation": platform.rotation}) == platform


@pytest.mark.parametrize(
    ("memory_mb", "shm_mb", "asked", "lanes"),
    [
        (24_000, 0, 4, 4),
        (2_048, 0, 4, 4),
        (2_048, 0, 64, 17),
        (700, 0, 4, 2),
        (500, 0, 4, 1),
        (100, 0, 4, 1),
        (24_000, 128, 4, 1),
        (24_000, 512, 4, 2),
        (24_000, 1_024, 4, 4),
        (24_000, 2_048, 12, 8),
        (700, 512, 4, 2),
    ],
)
def test_lanes_are_what_is_asked_for_or_what_memory_and_shm_carry(
    memory_mb: int, shm_mb: int, asked: int, lanes: int
) -> None:
    """85 percent of the memory less 380 MB, by 80 MB each; 256 MB of /dev/shm each; never none."""
    budget = Budget(memory_mb, shm_mb)
    assert budget.lanes(asked) == lanes
    wide = shop().model_copy(update={"workflow": shop(lanes=asked).workflow})
    assert resolved(wide, budget).workflow.concurrency.default == lanes


@pytest.mark.parametrize(
    ("asked", "lanes", "cores", "places"),
    [
        ("auto", [4], 2, 4),  # one shop alone has a place for each lane
        ("auto", [4], 1, 4),
        ("auto", [4, 4], 2, 8),
        ("auto", [4] * 6, 2, 12),  # six for each core
        ("auto", [4] * 6, 8, 24),  # and no more than there are lanes
        ("auto", [4] * 16, 2, 16),  # one for each platform
        ("auto", [64, 1], 2, 64),  # as many as the widest platform has
        ("auto", [], 2, 1),
        (3, [4] * 6, 2, 3),
        (30, [4], 2, 30),
    ],
)
def test_places_go_by_cores_lanes_and_platforms(
    asked: int | Literal["auto"], lanes: list[int], cores: int, places: int
) -> None:
    """Or are what was asked for; memory and /dev/shm bound them as they bound lanes."""
    assert wanted_places(asked, lanes, cores, shm_mb=0) == places


@pytest.mark.parametrize(
    ("lanes", "shm_mb", "places"),
    [
        ([4] * 9, 2048, 8),  # a container of 2 GB: so Chromium can use it
        ([4] * 9, 1024, 4),
        ([4] * 9, 64, 12),  # Docker's own is never used
        ([4] * 9, 12_000, 12),
        ([10, 4], 2048, 10),  # one shop alone is not slowed down
    ],
)
def test_places_keep_to_what_dev_shm_carries(lanes: list[int], shm_mb: int, places: int) -> None:
    """Where it was made large for a browser."""
    assert wanted_places("auto", lanes, 2, shm_mb) == places


@pytest.mark.parametrize(
    ("allowed_mb", "limit_mb", "dev_shm", "processes", "budget"),
    [
        (8_000, "auto", "auto", 1, Budget(8_000, 0)),
        (8_000, 2_048, "auto", 1, Budget(2_048, 0)),
        (8_000, 16_000, "auto", 1, Budget(8_000, 0)),
        (8_000, "auto", True, 1, Budget(8_000, 1_024)),
        (8_000, "auto", True, 4, Budget(2_000, 256)),
        (8_000, 3_000, False, 4, Budget(2_000, 0)),
    ],
)
def test_processes_share_what_there_is(
    allowed_mb: int, limit_mb: int | Literal["auto"], dev_shm: bool | Literal["auto"], processes: int, budget: Budget
) -> None:
    """A limit can only lower it. /dev/shm counts where Chromium was told to use it."""
    assert budget_of(allowed_mb, limit_mb, 1_024, dev_shm, processes) == budget


def test_one_page_may_not_take_everything() -> None:
    """Half of the limit, and never more than a page can sensibly want."""
    assert [Budget(mb, 0).renderer_limit_mb for mb in (100, 700, 24_000)] == [100, 350, 1_500]
    assert [Budget(mb, 0).browser_limit_mb for mb in (100, 1_200, 24_000)] == [400, 600, 1_500]
