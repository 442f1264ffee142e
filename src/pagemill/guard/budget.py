"""What `auto` means: rotation by the memory there is. Pure tables, taken from operating experience.

16 GB: a page every 10 to 15 uses; 8 GB: 5 to 10; 4 GB: 3 to 5. Contexts follow at five times the page's number.
"""

from __future__ import annotations

from pagemill.config.platform import Platform, Rotation

_PAGE_USES = ((16_000, 10), (8_000, 7), (4_000, 5))
_FEWEST_PAGE_USES = 3
_PAGES_PER_CONTEXT = 5


def page_uses(memory_mb: int) -> int:
    """After how many uses a page is replaced when that much memory may be used."""
    for at_least_mb, uses in _PAGE_USES:
        if memory_mb >= at_least_mb * 0.95:  # a 16 GB machine reports a little less
            return uses
    return _FEWEST_PAGE_USES


def resolved(platform: Platform, memory_mb: int) -> Platform:
    """The platform with numbers in place of every `auto`."""
    page = page_uses(memory_mb) if platform.rotation.page == "auto" else platform.rotation.page
    context = page * _PAGES_PER_CONTEXT if platform.rotation.context == "auto" else platform.rotation.context
    return platform.model_copy(update={"rotation": Rotation(page=page, context=context)})
