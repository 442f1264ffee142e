"""Login: a browser sends its token once and gets it back as a cookie that scripts cannot read.

Owns the three routes and the count of failed logins, which is kept per process for a minute. Failed logins delay only
guesses, never a valid token, because a whole office may share one address.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pagemill.control_room.frame.access import COOKIE, Reader, RequestToken, rules_of
from pagemill.control_room.frame.envelope import ApiError, Envelope, Moment, Now, sealed
from pagemill.control_room.frame.origin import party
from pagemill.control_room.frame.roles import Access, Role
from pagemill.control_room.frame.tokens import TOKEN_MAX
from pagemill.errors import TokenInvalid

WINDOW_S = 60.0
MOST_OF_ADDRESS = 5
MOST_OF_ALL = 60

router = APIRouter(prefix="/api", tags=["login"])


class LoginRequest(BaseModel):
    """What a browser logs in with."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    token: str = Field(min_length=1, max_length=TOKEN_MAX, repr=False)


class LoginSession(BaseModel):
    """Who is logged in. `expires_at` is null if the API needs no token."""

    model_config = ConfigDict(frozen=True)

    role: Role
    subject: str
    expires_at: Moment | None


@dataclass(frozen=True, slots=True)
class _Failure:
    at_s: float
    address: str


class FailedLogins:
    """The failed logins of the last minute; the number kept is limited."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            now_s: monotonic seconds.
        """
        self._now_s = now_s
        self._failures: deque[_Failure] = deque(maxlen=MOST_OF_ALL)

    def wait_s(self, address: str) -> float:
        """Seconds until that address may try again; 0 if it may now."""
        now_s = self._now_s()
        while self._failures and self._failures[0].at_s <= now_s - WINDOW_S:
            self._failures.popleft()
        own = [failure.at_s for failure in self._failures if failure.address == party(address)]
        waits_s = [0.0]
        if len(own) >= MOST_OF_ADDRESS:
            waits_s.append(own[-MOST_OF_ADDRESS] + WINDOW_S - now_s)
        if len(self._failures) >= MOST_OF_ALL:
            waits_s.append(self._failures[0].at_s + WINDOW_S - now_s)
        return max(waits_s)

    def add(self, address: str) -> None:
        """Counts one failed login of that address."""
        self._failures.append(_Failure(self._now_s(), party(address)))


_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: {"description": "The token is not good, or not any more"},
    429: {"description": "Too many logins failed; `Retry-After` says when to try again"},
}


@router.post("/login", responses=_ANSWERS)
async def log_in(request: Request, response: Response, login: LoginRequest, now: Now) -> Envelope[LoginSession]:
    """Sets the login cookie, for as long as the token lasts."""
    rules = rules_of(request)
    rules.check_site(request)
    failed: FailedLogins = request.app.state.failed_logins
    address = request.client.host if request.client else ""
    try:
        access = rules.to_read(request, RequestToken(login.token, by_cookie=False))
    except TokenInvalid:  # expired and revoked tokens were ours once, so they are no guesses
        wait_s = math.ceil(failed.wait_s(address))
        if wait_s > 0:
            raise ApiError(
                429,
                "too_many_logins",
                f"too many logins failed: a good token gets in at once, another one is looked at in {wait_s} s",
                {"Retry-After": str(wait_s)},
            ) from None
        failed.add(address)
        raise
    if access.expires_at is not None:
        left_s = int((access.expires_at - now).total_seconds())
        response.set_cookie(
            COOKIE,
            login.token,
            max_age=left_s,
            path=_cookie_path(request),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return sealed(_session(access), now)


@router.post("/logout")
async def log_out(request: Request, response: Response, now: Now) -> Envelope[None]:
    """Removes the login cookie. The token itself stays good until it expires."""
    rules_of(request).check_site(request)
    secure = request.url.scheme == "https"
    response.delete_cookie(COOKIE, path=_cookie_path(request), secure=secure, httponly=True, samesite="strict")
    return sealed(None, now)


@router.get("/session")
async def show_session(access: Reader, now: Now) -> Envelope[LoginSession]:
    """Who is logged in, and until when."""
    return sealed(_session(access), now)


def _cookie_path(request: Request) -> str:
    """The cookie's path: only our own path behind a proxy, because nothing else on the host needs the cookie."""
    return str(request.scope.get("root_path") or "/")


def _session(access: Access) -> LoginSession:
    return LoginSession(role=access.role, subject=access.subject, expires_at=access.expires_at)
