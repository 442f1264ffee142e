"""What `auto` means for rotation, by the memory there is."""

from __future__ import annotations

import pytest

from pagemill.config.platform import Platform
from pagemill.guard.budget import page_uses, resolved


def shop(**rotation: object) -> Platform:
    """A platform with that rotation."""
    return Platform.model_validate(
        {"platform": "shop", "hosts": ["shop.test"], "rotation": rotation, "extract": {"fields": {"name": "h1"}}}
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
def test_auto_becomes_a_number_and_numbers_stay(written: dict[str, object], page: int, context: int) -> None:
    """A context lasts five pages unless it is written otherwise."""
    platform = resolved(shop(**written), 8_192)
    assert (platform.rotation.page, platform.rotation.context) == (page, context)


def test_nothing_but_the_rotation_changes() -> None:
    """And the platform that was given stays as it was."""
    platform = shop()
    changed = resolved(platform, 8_192)
    assert platform.rotation.page == "auto"
    assert changed.model_copy(update={"rotation": platform.rotation}) == platform
