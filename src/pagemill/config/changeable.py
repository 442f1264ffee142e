"""The guard's settings that can be changed while it runs, by flat keys: `alerts_enabled` is `alerts.enabled`. Pure.

`Changeable` marks such a setting where it is declared, and gives its name in the control API.
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
    """One setting that can be changed in running workers."""

    path: tuple[str, ...]
    """The parts of its key below `guard:`, such as `alerts` and `enabled`."""
    kind: Any
    """Its type, with the limits for values in files."""
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
"""All these settings, by flat key."""


def changeable_values(settings: GuardSettings) -> dict[str, Any]:
    """The values of these settings in a configuration, by flat key."""
    return {key: reduce(getattr, each.path, settings) for key, each in CHANGEABLE.items()}


def changed(settings: GuardSettings, changes: Mapping[str, Any]) -> GuardSettings:
    """The configuration with some settings changed; `changes` has values by flat key.

    Raises:
        pydantic.ValidationError: a value is invalid or contradicts other settings, or a key is unknown.
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
    """Like `changed`, but invalid changes are ignored as a whole, as workers ignore them."""
    try:
        return changed(settings, changes)
    except ValueError:
        return settings
