"""Where each value of `guard:` comes from: a line of the file, the profile, or the default. Pure.

A line that states the default beats a profile like any other line. Its author may have meant it, or may have kept it
from a file with all defaults. Which of the two it was cannot be known, so it is marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pagemill.config.loading import SETTINGS_FILE
from pagemill.config.profiles import PROFILES
from pagemill.config.settings import Config, GuardSettings


@dataclass(frozen=True, slots=True)
class Origin:
    """One value of the guard, and its origin in the files or the environment."""

    key: str
    """The dotted key, from the top of the file."""
    value: Any
    place: str
    """Such as `config/pagemill.yaml:51`, `profile production` or `default`."""
    profile: str = ""
    """The profile (as a place) that a line of the file beats; empty if there is none, or if it says the same."""
    profile_value: Any = None
    hides_profile: bool = False
    """Whether that line only states the default."""


def guard_origins(config: Config) -> list[Origin]:
    """Every value of the guard, in the order of the settings."""
    return [_origin(config, *leaf) for leaf in _leaves(config.settings.guard, GuardSettings(), "guard.")]


def _origin(config: Config, key: str, value: Any, default: Any) -> Origin:
    profile = config.settings.profile
    sets = {f"guard.{name}": each for name, each in PROFILES[profile].items()} if profile is not None else {}
    named = f"profile {profile}" + (" (PAGEMILL_PROFILE)" if config.environment.profile is not None else "")
    line = config.settings_lines.get(key)
    if line is None:
        return Origin(key, value, named if key in sets else "default")
    place = f"{config.environment.config_folder / SETTINGS_FILE}:{line}"
    if key not in sets or sets[key] == value:
        return Origin(key, value, place)
    return Origin(key, value, place, named, sets[key], hides_profile=value == default)


def _leaves(section: BaseModel, defaults: BaseModel, above: str) -> Iterator[tuple[str, Any, Any]]:
    """Dotted key, value and default of every single value."""
    for name in type(section).model_fields:
        value, default = getattr(section, name), getattr(defaults, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, default, f"{above}{name}.")
        else:
            yield f"{above}{name}", value, default
