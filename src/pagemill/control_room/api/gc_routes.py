"""`/api/v1/memory`: figures with the names that Go programs use for memory, and a request for garbage collection."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from pagemill.config.changeable import CHANGEABLE, changeable_values
from pagemill.control_room.api.dependencies import UNKNOWN_WORKER, ChosenWorkers, Documented, PartsOfApp
from pagemill.control_room.figures.memory_figures import MEANINGS, memory_figures_of
from pagemill.control_room.frame.access import changer, reader
from pagemill.control_room.frame.envelope import ApiError
from pagemill.fleet.actions import COLLECT

router = APIRouter(prefix="/api/v1/memory", tags=["memory"])

_FAILED: Documented = {
    **UNKNOWN_WORKER,
    503: {"description": "No worker did it, or Redis is out of reach"},
}


def _meaning(name: str) -> Any:
    return Field(description=MEANINGS[name])


class FiguresText(BaseModel):
    """The figures of the workers together; each one's description says what it means for Python and Chromium."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "alloc_bytes": 52428800,
                    "total_alloc_bytes": 104857600,
                    "sys_bytes": 67108864,
                    "heap_alloc_bytes": 52428800,
                    "heap_sys_bytes": 67108864,
                    "heap_idle_bytes": 14680064,
                    "heap_inuse_bytes": 52428800,
                    "heap_objects": 1024,
                    "gc_count": 5,
                    "gc_cpu_fraction": 0.02,
                    "usage_percent": 50.0,
                    "max_memory_mb": 1024,
                    "high_water_mark": 80.0,
                    "low_water_mark": 60.0,
                    "alert_threshold": 90.0,
                }
            ]
        },
    )

    alloc_bytes: int = _meaning("alloc_bytes")
    total_alloc_bytes: int = _meaning("total_alloc_bytes")
    sys_bytes: int = _meaning("sys_bytes")
    heap_alloc_bytes: int = _meaning("heap_alloc_bytes")
    heap_sys_bytes: int = _meaning("heap_sys_bytes")
    heap_idle_bytes: int = _meaning("heap_idle_bytes")
    heap_inuse_bytes: int = _meaning("heap_inuse_bytes")
    heap_objects: int = _meaning("heap_objects")
    gc_count: int = _meaning("gc_count")
    gc_cpu_fraction: float = _meaning("gc_cpu_fraction")
    usage_percent: float = Field(
        description="Memory of the fullest worker, as its guard judges: its own limit, its container or its machine"
    )
    max_memory_mb: float = Field(description="What the workers may use together")
    high_water_mark: float = Field(description="Percent: from here on memory is cleaned up (`guard.cleanup_percent`)")
    low_water_mark: float = Field(description="Percent: below, all is well again (`guard.recover_percent`)")
    alert_threshold: float = Field(description="Percent: from here on it is critical (`guard.critical_percent`)")


class FiguresAnswer(BaseModel):
    """The figures."""

    model_config = ConfigDict(frozen=True)

    memory: FiguresText


class CollectAnswer(BaseModel):
    """The collection is done."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"message": "Garbage collection completed"}]}
    )

    message: str


@router.get("/stats", dependencies=[Depends(reader)], responses=UNKNOWN_WORKER)
def show_figures(parts: PartsOfApp, chosen: ChosenWorkers) -> FiguresAnswer:
    """Memory in figures with the names that Go programs use."""
    guard = changeable_values(parts.guard_of(chosen))
    marks = {each.mark.figure: guard[key] for key, each in CHANGEABLE.items() if each.mark.figure}
    figures = asdict(memory_figures_of(chosen.workers))
    return FiguresAnswer(memory=FiguresText.model_validate({**figures, **marks}))


@router.post("/gc", dependencies=[Depends(changer)], responses=_FAILED)
def collect(parts: PartsOfApp, chosen: ChosenWorkers) -> CollectAnswer:
    """Makes workers collect Python's garbage; JavaScript's is collected by `POST /api/performance/optimize`."""
    answers = parts.order(chosen.workers, COLLECT)
    if not any(answer.done for answer in answers):
        missing = "; ".join(f"{answer.worker}: {answer.error}" for answer in answers)
        raise ApiError(503, "service_unavailable", f"no worker did it: {missing or 'none is alive'}")
    return CollectAnswer(message="Garbage collection completed")
