"""The platforms that a run is over: one; or several by name, of which each product has its own (`auto`)."""

from __future__ import annotations

from collections.abc import Mapping

from pagemill.config.platform import AUTO, Platform

Platforms = Platform | Mapping[str, Platform]
"""The one platform that all products are of; or several, by name, and each product is of the one whose hosts have its
URL's."""


def meant(configured: Mapping[str, Platform], name: str) -> Platforms:
    """The platform of that name, which must be configured; all of them for `auto`."""
    return dict(configured) if name == AUTO else configured[name]


def name_of(platforms: Platforms) -> str:
    """What a run over them says that it is of."""
    return platforms.platform if isinstance(platforms, Platform) else AUTO


def by_name(platforms: Platforms) -> dict[str, Platform]:
    """Each of them by its name."""
    return {platforms.platform: platforms} if isinstance(platforms, Platform) else dict(platforms)
