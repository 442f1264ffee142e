"""`GET /health` for load balancers and orchestrators. It needs no token and says only whether all is well."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp
from pagemill.control_room.figures.health_word import HealthWord, health_of
from pagemill.control_room.frame.envelope import ErrorEnvelope, Moment, Now
from pagemill.errors import RedisUnavailable

router = APIRouter(tags=["health"])

ServiceWord = Literal["ok", "warning", "critical", "down", "unknown"]

_MEMORY: dict[HealthWord, ServiceWord] = {"healthy": "ok", "warning": "warning", "critical": "critical"}


class Services(BaseModel):
    """The services that the fleet needs. `memory` is that of the worst worker; unknown while Redis is away."""

    model_config = ConfigDict(frozen=True)

    database: ServiceWord
    redis: ServiceWord
    memory: ServiceWord


class HealthText(BaseModel):
    """The overall state: `critical` with status 503, else `ok` or `warning` with 200."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "time": "2024-01-01T00:00:00.000Z",
                    "services": {"database": "ok", "redis": "ok", "memory": "ok"},
                }
            ]
        },
    )

    status: Literal["ok", "warning", "critical"]
    time: Moment
    services: Services


_CRITICAL: Documented = {
    503: {"model": HealthText | ErrorEnvelope, "description": "Memory is critical, or Redis or the database is away"}
}


@router.get("/health", responses=_CRITICAL, response_model=HealthText)
def show_health(parts: PartsOfApp, now: Now) -> HealthText | Response:
    """Whether Redis and the database answer, and the state of the workers' memory."""
    health = read_health(parts, now)
    return health if health.status != "critical" else JSONResponse(health.model_dump(mode="json"), 503)


def read_health(parts: Parts, now: datetime) -> HealthText:
    """Asks Redis, the database and the workers."""
    memory: ServiceWord = "unknown"
    redis: ServiceWord = "ok"
    try:
        picture = parts.view.picture()
        memory = _MEMORY[health_of(picture.workers, parts.guard_in_force(picture.overrides)).word]
    except RedisUnavailable:
        redis = "down"
    database: ServiceWord = "down" if parts.database.problem() else "ok"
    words = {database, redis, memory}
    status: Literal["ok", "warning", "critical"] = "warning" if "warning" in words else "ok"
    if words & {"down", "critical"}:
        status = "critical"
    return HealthText(status=status, time=now, services=Services(database=database, redis=redis, memory=memory))
