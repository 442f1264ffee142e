"""`/api/v2/system`: restarts the whole fleet, one process after another."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from pagemill.control_room.api.dependencies import PartsOfApp
from pagemill.control_room.control.restart import Restart, StepState
from pagemill.control_room.control.restartable import WORKER
from pagemill.control_room.frame.access import changer, reader
from pagemill.control_room.frame.envelope import ApiError, Envelope, Moment, Now, sealed

router = APIRouter(prefix="/api/v2/system", tags=["system"])


class StepText(BaseModel):
    """One worker's restart."""

    model_config = ConfigDict(frozen=True)

    worker: str
    state: StepState
    seconds: float = Field(description="Until as many workers were alive as before")


class ProcessStepText(BaseModel):
    """The restart of a process that is not a worker."""

    model_config = ConfigDict(frozen=True)

    process: str
    role: str = Field(description="scheduler or api")
    state: StepState
    seconds: float = Field(description="Until as many of its role were alive as before")


class RestartText(BaseModel):
    """A restart of the fleet, with its progress."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: Literal["running", "done", "failed", "interrupted"]
    started_at: Moment
    ended_at: Moment | None
    message: str
    workers: list[StepText]
    processes: list[ProcessStepText] = Field(
        description="Schedulers and API processes, after the workers. The API process that conducts comes last: while "
        "it is `restarting`, the state is `done` already, and the fresh one makes its step `done` too"
    )


@router.post(
    "/restart-all",
    status_code=202,
    dependencies=[Depends(changer)],
    responses={409: {"description": "Another restart is under way"}},
)
def restart_all(parts: PartsOfApp, now: Now) -> Envelope[RestartText]:
    """Makes every worker drain and restart, one after another; then every scheduler and every API process. `GET`
    tells how far it is. A supervisor stays: it holds no page and no batch, and its end would end all its workers."""
    restart = parts.restart.start()
    if restart is None:
        raise ApiError(409, "conflict", "a restart is under way: GET /api/v2/system/restart-all tells how far it is")
    return sealed(_text(restart), now)


@router.get(
    "/restart-all",
    dependencies=[Depends(reader)],
    responses={404: {"description": "There was no restart within the last week"}},
)
def show_restart(parts: PartsOfApp, now: Now) -> Envelope[RestartText]:
    """The restart under way, or the last one."""
    restart = parts.restart.latest()
    if restart is None:
        raise ApiError(404, "not_found", "there was no restart within the last week")
    return sealed(_text(restart), now)


def _text(restart: Restart) -> RestartText:
    return RestartText(
        id=restart.id,
        state=restart.state,
        started_at=restart.started_at,
        ended_at=restart.ended_at,
        message=restart.message,
        workers=[
            StepText(worker=step.name, state=step.state, seconds=step.seconds)
            for step in restart.steps
            if step.role == WORKER
        ],
        processes=[
            ProcessStepText(process=step.name, role=step.role, state=step.state, seconds=step.seconds)
            for step in restart.steps
            if step.role != WORKER
        ],
    )
