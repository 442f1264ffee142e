"""The guard's settings that can be changed while it runs, by flat keys: `alerts_enabled` is `alerts.enabled`. Pure.

Which they are, and what the control API calls them, is said where they are declared: by `Changeable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel

from pagemill.config.section import Changeable
from pagemill.config.settings import GuardSettings


@dataclass(frozen=True, slots=True)
class ChangeableSetting:
    """One of them."""

    path: tuple[str, ...]
    """Its key below `guard:`, part by part."""
    kind: Any
    """Its type, with the bounds that hold in files."""
    mark: Changeable


def _changeable_in(section: type[BaseModel], *above: str) -> Iterator[ChangeableSetting]:
    for name, field in section.model_fields.items():
        path = (*above, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _changeable_in(field.annotation, *path)
        for mark in field.metadata:
            if isinstance(mark, Changeable):
                yield ChangeableSetting(path, Annotated[field.annotation, *field.metadata], mark)


CHANGEABLE: Mapping[str, ChangeableSetting] = MappingProxyType(
    {"_".join(each.path): each for each in _changeable_in(GuardSettings)}
)
"""By flat key."""


def changeable_values(settings: GuardSettings) -> dict[str, Any]:
    """What they are in a configuration."""
    return {key: reduce(getattr, each.path, settings) for key, each in CHANGEABLE.items()}


def changed(settings: GuardSettings, changes: Mapping[str, Any]) -> GuardSettings:
    """The configuration with some of them changed.

    Raises:
        pydantic.ValidationError: a value is impossible, or does not go with the others; or a key is none of them.
    """
    values = settings.model_dump()
    for key, value in changes.items():
        *above, name = CHANGEABLE[key].path if key in CHANGEABLE else (key,)
        section = values
        for part in above:
            section = section[part]
        section[name] = value
    return GuardSettings.model_validate(values)


def in_force(settings: GuardSettings, changes: Mapping[str, Any]) -> GuardSettings:
    """`changed`; but changes that do not go with the configuration are all left out, as workers leave them out."""
    try:
        return changed(settings, changes)
    except ValueError:
        return settings
