"""The guard's settings under the API's names, in both directions, and the marks that a change must move. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from pagemill.config.changeable import CHANGEABLE, changeable_values
from pagemill.config.mistakes import Mistake
from pagemill.config.settings import MARKS, GuardSettings

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")


def by_api_names(values: Mapping[str, V]) -> dict[str, V]:
    """Values under the keys of `config.changeable`, put under the API's names."""
    return {CHANGEABLE[key].mark.name: value for key, value in values.items()}


def _with_fields(fields: Mapping[str, Any]) -> Callable[[type[M]], type[M]]:
    """Adds fields to a model; each is a type and a pydantic `Field`."""

    def complete(model: type[M]) -> type[M]:
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return complete


@_with_fields({each.mark.name: (each.kind, Field(description=each.mark.meaning)) for each in CHANGEABLE.values()})
class MemoryConfig(BaseModel):
    """The guard's settings by the names of this API; see `guard:` in docs/configuration.md."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [by_api_names(changeable_values(GuardSettings()))]}
    )

    @classmethod
    def of(cls, settings: GuardSettings) -> Self:
        """The values of a configuration."""
        return cls.model_validate(by_api_names(changeable_values(settings)))


@_with_fields(
    {
        each.mark.name: (each.kind | None, Field(default=None, description=each.mark.meaning, le=each.mark.most))
        for each in CHANGEABLE.values()
    }
)
class ConfigChange(BaseModel):
    """The settings to change; those left out, or `null`, stay as they are."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "monitoring_interval_seconds": 30,
                    "cleanup_interval_seconds": 180,
                    "warning_threshold": 75.0,
                    "critical_threshold": 90.0,
                    "cleanup_threshold": 85.0,
                    "max_cache_size": 2000,
                    "enable_alerts": True,
                }
            ],
            "minProperties": 1,
        },
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.changes():
            raise ValueError(f"nothing to change: name one of {', '.join(type(self).model_fields)}")
        return self

    def changes(self) -> dict[str, Any]:
        """The changes by the keys of `config.changeable`."""
        said = self.model_dump(exclude_none=True)
        return {key: said[each.mark.name] for key, each in CHANGEABLE.items() if each.mark.name in said}


def making_way(settings: GuardSettings, changes: Mapping[str, Any]) -> dict[str, float]:
    """New values for marks that a change does not name, so that the five marks still rise.

    A mark in the way keeps its distance to its neighbour: if the clean-up goes from 80 to 60, the warning goes from 70
    to 50. If there is no room for that, the validation of all settings reports an error.
    """
    before = [float(getattr(settings, name)) for name in MARKS]
    marks = [float(changes.get(name, value)) for name, value in zip(MARKS, before, strict=True)]
    fixed = [name in changes for name in MARKS]
    if not any(fixed):
        return {}
    for low in range(len(marks) - 2, -1, -1):
        if not fixed[low] and any(fixed[low + 1 :]) and marks[low] >= marks[low + 1]:
            marks[low] = marks[low + 1] - (before[low + 1] - before[low])
    for high in range(1, len(marks)):
        if not fixed[high] and any(fixed[:high]) and marks[high] <= marks[high - 1]:
            marks[high] = min(100.0, marks[high - 1] + (before[high] - before[high - 1]))
    return {
        name: mark for name, mark, old in zip(MARKS, marks, before, strict=True) if mark != old and name not in changes
    }


def explained(error: ValidationError) -> str:
    """The validation errors with the API's names: `body.warning_threshold: must be above ...`."""
    said = []
    for each in error.errors():
        cause = each.get("ctx", {}).get("error")
        path = [str(part) for part in (*each["loc"], *(cause.path if isinstance(cause, Mistake) else ()))]
        text = cause.message if isinstance(cause, Mistake) else each["msg"]
        said.append(_translated(f"body.{'_'.join(path) or 'whole'}: {text}"))
    return "; ".join(said)


def _translated(text: str) -> str:
    for key, each in CHANGEABLE.items():
        text = text.replace(key, each.mark.name)
    return text
