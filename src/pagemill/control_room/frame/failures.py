"""Turns exceptions into answers. Decides what the client sees and what only the log does.

No value from a client is repeated in an answer or in the log, because it may be a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pagemill.control_room.frame.access import rules_of
from pagemill.control_room.frame.envelope import ApiError, error_answer
from pagemill.errors import AccessRefused, ServiceUnavailable, TokenRefused
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("api")

CHALLENGE = {"WWW-Authenticate": "Bearer"}

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    421: "misdirected",
    422: "invalid",
    429: "too_many_requests",
    500: "unexpected",
    503: "service_unavailable",
}
"""Listed here, because the standard library's names change with Python's version."""

_NAMED_MOST = 10
_PATH_MOST = 200
_RETRY_AFTER_S = 5
_NO_BODY = frozenset({204, 205, 304})
_NOT_CALLED_JSON = "body: nothing says that it is JSON: send the header `Content-Type: application/json`"


def install_failures(app: FastAPI) -> None:
    """Makes the application answer every failure in the envelope, with the time of its access rules."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(TokenRefused, _answer_token)
    app.add_exception_handler(AccessRefused, _answer_refused)
    app.add_exception_handler(ServiceUnavailable, _answer_unavailable)


class Unexpected:
    """Middleware: an unexpected exception becomes a log line, and a 500 without details."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def notice(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, notice)
        except Exception:
            log.exception(events.UNEXPECTED, method=scope["method"], path=scope["path"][:_PATH_MOST])
            if started:
                raise
            answer = _answer(Request(scope), 500, "something went wrong here: the API's log says what")
            await answer(scope, receive, send)


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in _NO_BODY:
        return Response(status_code=error.status_code, headers=error.headers)
    code = error.code if isinstance(error, ApiError) else None
    headers = {"Allow": ", ".join(_allowed(request))} if error.status_code == 405 else error.headers
    return _answer(request, error.status_code, str(error.detail), code, headers)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes at this path; Starlette reports only those of the first."""
    asked = {key: request.scope[key] for key in ("type", "path", "root_path", "headers")}
    routes = request.app.router.routes
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
        if any(route.matches({**asked, "method": method})[0] is Match.FULL for route in routes)
    ]


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # With another content type FastAPI leaves the body as bytes, so another site's form is never taken for JSON.
    return _answer(request, 422, _NOT_CALLED_JSON if isinstance(error.body, bytes) else describe(error.errors()))


async def _answer_token(request: Request, error: Exception) -> Response:
    assert isinstance(error, TokenRefused)
    return _answer(request, 401, str(error), error.code, CHALLENGE)


async def _answer_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AccessRefused)
    return _answer(request, error.status, str(error), error.code)


async def _answer_unavailable(request: Request, error: Exception) -> Response:
    return _answer(request, 503, str(error), headers={"Retry-After": str(_RETRY_AFTER_S)})


def describe(errors: Sequence[Any]) -> str:
    """One sentence for each mistake with its field, such as `body.token: Field required`; at most ten."""
    said = [_describe_one(each) for each in errors[:_NAMED_MOST]]
    if len(errors) > _NAMED_MOST:
        said.append(f"and {len(errors) - _NAMED_MOST} more")
    return "; ".join(said)


def _describe_one(error: Any) -> str:
    place = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return f"{place[0]}: is not JSON, at character {place[-1]}"
    return f"{'.'.join(place)[:_PATH_MOST]}: {error['msg']}"


def _answer(request: Request, status: int, message: str, code: str | None = None, headers: Any = None) -> JSONResponse:
    now = rules_of(request).clock()
    return error_answer(status, code or _CODES.get(status, "error"), message, now, headers)
