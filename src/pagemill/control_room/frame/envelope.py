"""The form of every JSON answer: `{"success", "data", "timestamp"}`, or `{"success", "error", "timestamp"}`.

Owns these two forms and the format of times. `failures` decides which exception becomes which error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

DataT = TypeVar("DataT")


def iso(moment: datetime) -> str:
    """UTC with milliseconds and a `Z`, such as `2024-01-20T10:30:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2024-01-20T10:30:00.000Z"]}),
]
"""A time with its zone, written as by `iso`."""


class Envelope(BaseModel, Generic[DataT]):
    """A successful answer. The return type of routes; `sealed` makes one."""

    model_config = ConfigDict(frozen=True)

    success: Literal[True] = True
    data: DataT
    timestamp: Moment


class ErrorText(BaseModel):
    """What went wrong: a fixed word for programs, a sentence for people."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class ErrorEnvelope(BaseModel):
    """An error answer."""

    model_config = ConfigDict(frozen=True)

    success: Literal[False] = False
    error: ErrorText
    timestamp: Moment


class ApiError(HTTPException):
    """An error with its own code; other HTTP errors get one by their status."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.code = code


def sealed(data: DataT, now: datetime) -> Envelope[DataT]:
    """A successful answer with its time."""
    return Envelope[DataT](data=data, timestamp=now)


def error_answer(
    status: int, code: str, message: str, now: datetime, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error answer with its time."""
    # A client's JSON may contain half a surrogate pair in a field's name, which UTF-8 cannot encode.
    text = message.encode("utf-8", "replace").decode()
    error = ErrorEnvelope(error=ErrorText(code=code, message=text), timestamp=now)
    return JSONResponse(error.model_dump(mode="json"), status, headers)


async def _now(request: Request) -> datetime:
    clock: Callable[[], datetime] = request.app.state.access_rules.clock
    return clock()


Now = Annotated[datetime, Depends(_now)]
"""The parameter type by which a route gets the time of the request, from the API's clock."""
