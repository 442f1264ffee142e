"""`/memory`: status, figures, history, settings and clean-up of the workers' memory.

Paths, fields and defaults are those of the memory guide, which existing clients follow; the numbers are the fleet's.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from pagemill.config.changeable import changed
from pagemill.control_room.api import memory_config
from pagemill.control_room.api.dependencies import UNKNOWN_WORKER, ChosenWorkers, Documented, Parts, PartsOfApp
from pagemill.control_room.api.memory_config import ConfigChange, MemoryConfig
from pagemill.control_room.api.memory_data import (
    entry_of,
    fleet_of,
    fullest_of,
    memory_trend_of,
    process_memory_of,
    result_of,
    sample_of,
    status_of,
)
from pagemill.control_room.api.memory_models import (
    BackgroundTask,
    CleanupResult,
    MemoryDetail,
    MemoryHistory,
    MemoryStatus,
)
from pagemill.control_room.control.background_cleanup import CleanupTask
from pagemill.control_room.control.cleanup import clean_up
from pagemill.control_room.frame.access import changer, reader
from pagemill.control_room.frame.envelope import ApiError, ErrorEnvelope, Now
from pagemill.fleet.actions import CLEANUP, CONFIGURE
from pagemill.fleet.overrides import override_guard

router = APIRouter(prefix="/memory", tags=["memory"])

_READS = [Depends(reader)]
_CHANGES = [Depends(changer)]
_HOUR_S = 3600.0
_TREND_POINTS = 60
_CONFIGURE_S = 3.0
"""Seconds to wait for the workers' replies. A worker without the order reads the change itself within seconds."""

Hours = Annotated[float, Query(gt=0, le=192, allow_inf_nan=False, description="How far back, up to eight days")]


@router.get("/status", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_status(parts: PartsOfApp, chosen: ChosenWorkers, now: Now) -> MemoryStatus:
    """The state of memory in one word, by the guard's marks."""
    silent = [] if chosen.worker else [worker for worker in chosen.picture.workers if not worker.is_alive]
    return status_of(chosen.workers, silent, parts.guard_in_force(chosen.picture.overrides), now)


@router.get("/stats", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_stats(parts: PartsOfApp, chosen: ChosenWorkers, now: Now) -> MemoryDetail:
    """Memory in detail, and its trend over the last hour."""
    fullest, fleet = fullest_of(chosen.workers), fleet_of(chosen.workers)
    others = () if chosen.worker else chosen.picture.processes
    most = parts.guard_in_force(chosen.picture.overrides).history_size
    return MemoryDetail(
        current=sample_of(fullest, fleet, now),
        fullest=fullest,
        fleet=fleet,
        trend=memory_trend_of(parts.curve(_HOUR_S, chosen.worker, _TREND_POINTS)),
        history_size=len(parts.curve(24 * _HOUR_S, chosen.worker, most)),
        optimization_count=sum(worker.cleanings for worker in chosen.workers),
        cache_size=fleet.cache_size,
        is_running=bool(chosen.workers),
        processes=[process_memory_of(process) for process in others if process.is_alive],
    )


@router.get("/history", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_history(parts: PartsOfApp, chosen: ChosenWorkers, hours: Hours = 24) -> MemoryHistory:
    """Memory over the last hours."""
    most = parts.guard_in_force(chosen.picture.overrides).history_size
    points = parts.curve(hours * _HOUR_S, chosen.worker, most)
    return MemoryHistory(hours=hours, count=len(points), history=[entry_of(point) for point in points])


@router.get("/config", dependencies=_READS, responses=UNKNOWN_WORKER)
def show_config(parts: PartsOfApp, chosen: ChosenWorkers) -> MemoryConfig:
    """The guard's settings: those of one worker as they are in it, or those of the API's configuration with what was
    changed for the fleet."""
    return MemoryConfig.of(parts.guard_of(chosen))


class ConfigAnswer(BaseModel):
    """The settings in force, and which workers apply them already."""

    model_config = ConfigDict(frozen=True)

    success: bool = True
    message: str
    config: MemoryConfig
    adjusted: dict[str, float] = Field(
        description="Marks that were not named and had to make way, with their new values"
    )
    version: int = Field(description="Rises with every change of the fleet")
    acknowledged: list[str] = Field(description="Workers that have put it into force")
    outstanding: dict[str, str] = Field(description="Workers that have not, with the reason; they look within seconds")


@router.post("/config", dependencies=_CHANGES)
def change_config(parts: PartsOfApp, change: ConfigChange) -> ConfigAnswer:
    """Changes settings of every worker. Earlier changes stay; all of them last as long as Redis keeps them."""
    picture = parts.view.picture()
    changes = change.changes()
    adjusted = memory_config.making_way(parts.guard_in_force(picture.overrides), changes)
    try:
        settings = changed(parts.guard, {**picture.overrides.guard, **adjusted, **changes})
    except ValidationError as error:
        raise ApiError(422, "invalid", memory_config.explained(error)) from error
    version = override_guard(parts.redis, {**adjusted, **changes})
    answers = parts.order(picture.alive, CONFIGURE, _CONFIGURE_S)
    done = [answer.worker for answer in answers if answer.done]
    return ConfigAnswer(
        message=f"In force in {len(done)} of {len(answers)} workers",
        config=MemoryConfig.of(settings),
        adjusted=memory_config.by_api_names(adjusted),
        version=version,
        acknowledged=done,
        outstanding={answer.worker: answer.error for answer in answers if not answer.done},
    )


_NOBODY: Documented = {
    **UNKNOWN_WORKER,
    503: {"model": CleanupResult | ErrorEnvelope, "description": "No worker did it, or Redis is out of reach"},
}


@router.post("/cleanup", dependencies=_CHANGES, responses=_NOBODY, response_model=CleanupResult)
def clean(parts: PartsOfApp, chosen: ChosenWorkers) -> CleanupResult | Response:
    """Makes workers collect garbage, return free memory to the system and drop a share of their caches."""
    result = result_of(clean_up(lambda: parts.order(chosen.workers, CLEANUP)))
    return result if result.success else JSONResponse(result.model_dump(mode="json"), 503)


_BUSY: Documented = {**UNKNOWN_WORKER, 409: {"description": "Another one is under way"}}


@router.post("/cleanup/background", status_code=202, dependencies=_CHANGES, responses=_BUSY)
def clean_in_background(parts: PartsOfApp, chosen: ChosenWorkers) -> BackgroundTask:
    """The same in the background, one at a time. `GET` shows the outcome."""
    task = parts.cleanup.start(lambda: clean_up(lambda: parts.order(chosen.workers, CLEANUP)))
    if task is None:
        raise ApiError(409, "conflict", "a clean-up is under way: GET /memory/cleanup/background tells when it ends")
    return _task(task)


@router.get("/cleanup/background", dependencies=_READS, responses={404: {"description": "There was none yet"}})
def show_background(parts: PartsOfApp) -> BackgroundTask:
    """The latest clean-up in the background of this API process."""
    return _task(_latest(parts))


def _latest(parts: Parts) -> CleanupTask:
    if parts.cleanup.latest is None:
        raise ApiError(404, "not_found", "no clean-up was asked for in the background yet")
    return parts.cleanup.latest


def _task(task: CleanupTask) -> BackgroundTask:
    messages = {"running": "The clean-up is under way", "done": "The clean-up is done", "failed": task.error}
    return BackgroundTask(
        task_id=task.task_id,
        state=task.state,
        message=messages[task.state],
        result=result_of(task.outcome) if task.outcome else None,
    )
