"""The guard's settings by the names of `/memory/config`: there and back, and which marks make way for one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Flag, Number, Whole
from pagemill.config.settings import GuardSettings
from pagemill.control_room.api.memory_models import MemoryConfig
from pagemill.fleet.overrides import GuardInForce

OURS = {
    "monitoring_interval_seconds": "sample_interval_s",
    "cleanup_interval_seconds": "cleanup_interval_s",
    "gc_interval_seconds": "gc_interval_s",
    "recover_threshold": "recover_percent",
    "warning_threshold": "warning_percent",
    "cleanup_threshold": "cleanup_percent",
    "critical_threshold": "critical_percent",
    "emergency_threshold": "emergency_percent",
    "max_cache_size": "max_cache_size",
    "cache_cleanup_ratio": "cache_cleanup_ratio",
    "max_history_size": "history_size",
    "enable_auto_gc": "enable_auto_gc",
    "enable_alerts": "alerts_enabled",
    "alert_cooldown_minutes": "alerts_cooldown_minutes",
}
"""The API's names, and the fields of `GuardInForce`."""

THEIRS = {ours: theirs for theirs, ours in OURS.items()}

_MARKS = ("recover_percent", "warning_percent", "cleanup_percent", "critical_percent", "emergency_percent")
_LONGEST_S = 7 * 24 * 3600

_Percent = Annotated[Number, Field(gt=0, le=100)]


class ConfigChange(BaseModel):
    """What is to be changed; what is left out stays as it is. `null` counts as left out."""

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

    monitoring_interval_seconds: Annotated[Number, Field(ge=0.5, le=300)] | None = None
    cleanup_interval_seconds: Annotated[Number, Field(ge=1, le=_LONGEST_S)] | None = None
    gc_interval_seconds: Annotated[Number, Field(ge=1, le=_LONGEST_S)] | None = None
    recover_threshold: _Percent | None = None
    warning_threshold: _Percent | None = None
    cleanup_threshold: _Percent | None = None
    critical_threshold: _Percent | None = None
    emergency_threshold: _Percent | None = None
    max_cache_size: Annotated[Whole, Field(ge=1, le=100_000_000)] | None = None
    cache_cleanup_ratio: Annotated[Number, Field(gt=0, le=1)] | None = None
    max_history_size: Annotated[Whole, Field(ge=1, le=100_000)] | None = None
    enable_auto_gc: Flag | None = None
    enable_alerts: Flag | None = None
    alert_cooldown_minutes: Annotated[Number, Field(ge=0, le=1440)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.changes():
            raise ValueError(f"nothing to change: name one of {', '.join(OURS)}")
        return self

    def changes(self) -> dict[str, Any]:
        """What it changes, by the fields of `GuardInForce`."""
        return {OURS[name]: value for name, value in self.model_dump(exclude_none=True).items()}


def shown_settings(settings: GuardSettings | GuardInForce) -> MemoryConfig:
    """The settings by the API's names."""
    in_force = GuardInForce.of(settings) if isinstance(settings, GuardSettings) else settings
    values = in_force.model_dump()
    return MemoryConfig.model_validate({theirs: values[ours] for theirs, ours in OURS.items()})


def making_way(settings: GuardSettings, changes: Mapping[str, Any]) -> dict[str, float]:
    """The marks that a change does not name and that must move for it, so that the five go on rising.

    A mark in the way keeps the distance that it had to its neighbour: with the clean-up at 60 instead of 80, the
    warning goes from 70 to 50. Where there is no room for that, nothing helps, and checking the whole says so.
    """
    before = [float(getattr(settings, name)) for name in _MARKS]
    marks = [float(changes.get(name, value)) for name, value in zip(_MARKS, before, strict=True)]
    fixed = [name in changes for name in _MARKS]
    if not any(fixed):
        return {}
    for low in range(len(marks) - 2, -1, -1):
        if not fixed[low] and any(fixed[low + 1 :]) and marks[low] >= marks[low + 1]:
            marks[low] = marks[low + 1] - (before[low + 1] - before[low])
    for high in range(1, len(marks)):
        if not fixed[high] and any(fixed[:high]) and marks[high] <= marks[high - 1]:
            marks[high] = min(100.0, marks[high - 1] + (before[high] - before[high - 1]))
    return {
        name: mark for name, mark, old in zip(_MARKS, marks, before, strict=True) if mark != old and name not in changes
    }


def explained(error: ValidationError) -> str:
    """What does not fit, by the API's names: `body.warning_threshold: must be above ...`."""
    said = []
    for each in error.errors():
        cause = each.get("ctx", {}).get("error")
        path = [str(part) for part in (*each["loc"], *(cause.path if isinstance(cause, Mistake) else ()))]
        text = cause.message if isinstance(cause, Mistake) else each["msg"]
        said.append(f"body.{_theirs('_'.join(path))}: {_translated(text)}")
    return "; ".join(said)


def _theirs(name: str) -> str:
    return THEIRS.get(name, name or "whole")


def _translated(text: str) -> str:
    for ours, theirs in THEIRS.items():
        text = text.replace(ours, theirs)
    return text
