"""The platforms of a run: one; or several by name (`auto`), and then each product has its own."""

from __future__ import annotations

from collections.abc import Mapping

from pagemill.config.platform import AUTO, Platform

Platforms = Platform | Mapping[str, Platform]
"""The platform of all products; or several by name, and each product belongs to the one whose hosts include its URL's
host."""


def meant(configured: Mapping[str, Platform], name: str) -> Platforms:
    """The platform of that name, which must be configured; or all platforms for `auto`."""
    return dict(configured) if name == AUTO else configured[name]


def name_of(platforms: Platforms) -> str:
    """The run's platform as lists show it: its name, or `auto`."""
    return platforms.platform if isinstance(platforms, Platform) else AUTO


def by_name(platforms: Platforms) -> dict[str, Platform]:
    """The platforms by name."""
    return {platforms.platform: platforms} if isinstance(platforms, Platform) else dict(platforms)
