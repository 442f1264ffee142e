"""The parts of `/api/performance` that change something: alert thresholds, optimizing, pausing a platform.

Changes survive a restart of the API, because they are kept in Redis.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from pagemill.alerting.rules_in_force import shown_thresholds
from pagemill.alerting.thresholds import ThresholdsRequest, without_rule
from pagemill.control_room.api.change_models import (
    OptimizeData,
    OptimizeRequest,
    PauseData,
    PauseRequest,
    ThresholdsData,
)
from pagemill.control_room.api.dependencies import UNKNOWN_WORKER, ChosenWorkers, Documented, PartsOfApp, check_platform
from pagemill.control_room.control.cleanup import clean_up
from pagemill.control_room.frame.access import changer
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.fleet.actions import OPTIMIZE
from pagemill.fleet.overrides import override_thresholds, read_overrides
from pagemill.pacing import manual_pause

router = APIRouter(prefix="/api/performance", tags=["performance"], dependencies=[Depends(changer)])

_FAILED: Documented = {**UNKNOWN_WORKER, 503: {"description": "No worker did it, or Redis is out of reach"}}
_NO_PLATFORM: Documented = {404: {"description": "No platform of that name is configured"}}

PlatformPath = Annotated[str, Path(max_length=100, description="A platform", examples=["musinsa"])]


@router.put("/thresholds")
def put_thresholds(parts: PartsOfApp, wanted: ThresholdsRequest, now: Now) -> Envelope[ThresholdsData]:
    """Sets alert thresholds; those set before stay. Shares are from 0 to 1, times in milliseconds."""
    put = wanted.thresholds.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not put:
        raise ApiError(422, "invalid", "body.thresholds: nothing to change: name one of the thresholds")
    version = override_thresholds(parts.redis, put)
    parts.forget()
    shown = shown_thresholds(parts.rules, read_overrides(parts.redis).thresholds)
    idle = [f"{metric} {level}" for metric, level in without_rule(parts.rules, wanted.by_metric())]
    return sealed(ThresholdsData(thresholds=shown, without_rule=idle, version=version), now)


@router.post("/optimize", responses=_FAILED)
def optimize(
    parts: PartsOfApp, chosen: ChosenWorkers, now: Now, wanted: OptimizeRequest | None = None
) -> Envelope[OptimizeData]:
    """Makes workers clean up; see the description of the body."""
    kind = (wanted or OptimizeRequest()).type
    outcome = clean_up(lambda: parts.order(chosen.workers, OPTIMIZE, kind=kind))
    if not outcome.success:
        raise ApiError(503, "service_unavailable", outcome.message)
    done = OptimizeData(
        type=kind,
        cache_cleaned=outcome.cache_entries,
        gc_collected=outcome.collected,
        memory_freed_mb=outcome.freed_mb,
        seconds=outcome.seconds,
        done=list(outcome.done),
        failed=outcome.failed,
    )
    return sealed(done, now)


@router.post("/platforms/{name}/pause", responses=_NO_PLATFORM)
def pause(parts: PartsOfApp, name: PlatformPath, wanted: PauseRequest, now: Now) -> Envelope[PauseData]:
    """Pauses the platform for all workers. Visits under way end; a longer pause is not shortened."""
    check_platform(parts, name)
    left_s = manual_pause.pause(parts.redis, name, wanted.minutes * 60)
    parts.forget()
    return sealed(PauseData(platform=name, paused_seconds=round(left_s, 1), why=manual_pause.WHY), now)


@router.post("/platforms/{name}/resume", responses=_NO_PLATFORM)
def resume(parts: PartsOfApp, name: PlatformPath, now: Now) -> Envelope[PauseData]:
    """Ends that platform's pause, also one that the shop has asked for; workers go on within seconds."""
    check_platform(parts, name)
    manual_pause.resume(parts.redis, name)
    parts.forget()
    return sealed(PauseData(platform=name, paused_seconds=0.0, why=""), now)
