"""Decides which results get a notice at once: changes of what a platform's `watch` names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pagemill.config.platform import Platform
from pagemill.model import ItemResult
from pagemill.results.run_end import CHANGES


def watching(platforms: Mapping[str, Platform]) -> Callable[[ItemResult], bool]:
    """A function that decides whether a result is a watched change.

    For a watched product every change counts, for a watched field a difference between catalogue and page. A product
    that failed or was blocked is not known to have changed.
    """
    watched = {
        name: (frozenset(platform.watch.fields), frozenset(platform.watch.products))
        for name, platform in platforms.items()
    }

    def is_watched(result: ItemResult) -> bool:
        fields, products = watched.get(result.platform, (frozenset(), frozenset()))
        if result.verdict not in CHANGES:
            return False
        return result.product_id in products or any(each.field in fields for each in result.differences)

    return is_watched
