"""Request and response bodies for changes below `/api/performance`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pagemill.control_room.api.performance_models import Camel


class OptimizeData(Camel):
    """The outcome in all workers together."""

    type: str
    cache_cleaned: int
    gc_collected: int
    memory_freed_mb: float
    seconds: float
    done: list[str] = Field(description="Workers that did it")
    failed: dict[str, str] = Field(description="Workers that did not, with the reason")


class ThresholdsInForce(Camel):
    """Thresholds of alerts."""

    thresholds: dict[str, dict[str, float]] = Field(description="By name and level")


class ThresholdsData(ThresholdsInForce):
    """The thresholds in force after the change."""

    without_rule: list[str] = Field(description="What was put and changes nothing: no rule in alerts.yaml is about it")
    version: int


class PauseRequest(BaseModel):
    """For how long no worker may visit a platform."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    minutes: Annotated[float, Field(ge=1, le=1440, examples=[15])]


class PauseData(Camel):
    """For how long a platform is paused now."""

    platform: str
    paused_seconds: float
    why: str


class OptimizeRequest(BaseModel):
    """What to do: `cache` takes a share of every cache; `memory` cleans up and replaces contexts after the visits under
    way; `cleanup`, for emergencies, closes idle pages and replaces browser and driver; `all` is the first two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["all", "cache", "memory", "cleanup"] = "all"
