"""Decides who may read and who may change. Routes ask by `Reader` and `Changer`, live connections by `access_of_token`.

With a secret every request needs a token. Without one no request does: then only the user who runs the API may ask, as
admin, and whatever comes through a proxy, from another user or from another web site is refused.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from pagemill.config.environment import API_SECRET_MIN
from pagemill.control_room.frame.loopback_peer import IS_OWN, is_passed_on
from pagemill.control_room.frame.origin import is_cross_site, is_own_origin, names_loopback
from pagemill.control_room.frame.roles import Access, Role
from pagemill.control_room.frame.tokens import verify
from pagemill.errors import HostUnknown, NotAllowed, NotDirect, RequestForged, TokenRevoked, UsageError

COOKIE = "pagemill_token"
MARK_HEADER = "X-Requested-With"
MARK = "pagemill"
"""The header that a change with the login cookie needs. A form or a script of another web site cannot send it."""

INTRODUCE = "introduce"
"""The key of a connection's state with the function to call once a valid token was shown: the server then no longer
counts it among those who have shown none."""


@dataclass(frozen=True, slots=True)
class RequestToken:
    """The token of a request."""

    token: str | None = field(repr=False)
    by_cookie: bool
    """Whether it came from the cookie. A browser sends that by itself, so another site may have caused the request."""


class AccessRules:
    """The rules of one API, for as long as it runs."""

    def __init__(self, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """
        Args:
            secret: signs the tokens; empty for an API without tokens.
            clock: the time of day, with its zone.

        Raises:
            UsageError: the secret is too short to protect anything.
        """
        if secret and len(secret) < API_SECRET_MIN:
            raise UsageError(f"PAGEMILL_API_SECRET is shorter than {API_SECRET_MIN} characters: choose a longer one")
        self._secret = secret
        self._is_revoked: Callable[[Access], bool] = lambda _access: False
        self.clock = clock

    @property
    def asks_for_tokens(self) -> bool:
        """Whether there is a secret."""
        return self._secret != ""

    def heed(self, is_revoked: Callable[[Access], bool]) -> None:
        """Sets the function that says whether a token was revoked."""
        self._is_revoked = is_revoked

    def is_over(self, access: Access) -> bool:
        """Whether an access that was once granted has ended: its token has expired or was revoked."""
        return access.expires_at is not None and (access.expires_at <= self.clock() or self._is_revoked(access))

    def check_host(self, connection: HTTPConnection) -> None:
        """Refuses requests that do not come straight from this user. Does nothing if there is a secret.

        Raises:
            HostUnknown: the request names another host than localhost. A site whose name leads here does (DNS
                rebinding).
            NotDirect: it came from another user of this machine or through a proxy.
        """
        if self.asks_for_tokens:
            return
        if not names_loopback(connection.headers):
            raise HostUnknown
        is_own: Callable[[], bool] = connection.scope.get("state", {}).get(IS_OWN, lambda: False)
        if is_passed_on(connection.headers) or not is_own():
            raise NotDirect

    def check_site(self, connection: HTTPConnection) -> None:
        """Refuses requests that another web site made a browser send.

        Raises:
            RequestForged: this is one. `Origin` is compared only without a secret: with one, a proxy in front may have
                another host name.
        """
        headers = connection.headers
        if is_cross_site(headers) or not (self.asks_for_tokens or is_own_origin(headers)):
            raise RequestForged("another site may not do this")

    def to_read(self, connection: HTTPConnection, credentials: RequestToken) -> Access:
        """The access of a client that wants to read.

        Raises:
            TokenRefused: there is no valid token.
            AccessRefused: there is no secret, and `check_host` refuses the request.
        """
        self.check_host(connection)
        access = self._access_of(credentials)
        introduce: Callable[[], None] | None = connection.scope.get("state", {}).get(INTRODUCE)
        if introduce is not None:
            introduce()
        return access

    def _access_of(self, credentials: RequestToken) -> Access:
        if not self.asks_for_tokens:
            return Access(Role.ADMIN, "loopback", None)
        access = verify(self._secret, credentials.token, self.clock())
        if self._is_revoked(access):
            raise TokenRevoked
        return access

    def to_change(self, connection: HTTPConnection, credentials: RequestToken) -> Access:
        """The access of a client that wants to change something, and may.

        Raises:
            TokenRefused: there is no valid token.
            AccessRefused: the role does not allow it, or the request may be forged.
        """
        access = self.to_read(connection, credentials)
        if not self.asks_for_tokens:
            self.check_site(connection)
        elif credentials.by_cookie:
            said = connection.headers.get(MARK_HEADER, "")
            if not hmac.compare_digest(said.encode(), MARK.encode()):
                raise RequestForged(f"with the cookie alone, a change needs the header `{MARK_HEADER}: {MARK}`")
        if not access.may_change:
            raise NotAllowed
        return access

    def access_of_token(self, token: str | None, connection: HTTPConnection) -> Access:
        """The access of a client that opens a live connection. Browsers do not protect those from other sites, so even
        reading needs proof here that no other site is behind it.

        Args:
            token: the client's token; without one, the login cookie counts.
            connection: its first request, for Socket.IO `HTTPConnection(environ["asgi.scope"])`.

        Raises:
            TokenRefused: there is no valid token.
            AccessRefused: another site opened it, or it was opened under a foreign host name.
        """
        credentials = RequestToken(token or connection.cookies.get(COOKIE), by_cookie=not token)
        access = self.to_read(connection, credentials)
        if not self.asks_for_tokens:
            self.check_site(connection)
        elif credentials.by_cookie:
            said = connection.headers.get("sec-fetch-site", "").lower()
            # `Sec-Fetch-Site` is more reliable than `Origin`, because a proxy may have renamed the host.
            if said not in ("same-origin", "none") if said else not is_own_origin(connection.headers):
                raise RequestForged("another site may not connect")
        return access


def rules_of(connection: HTTPConnection) -> AccessRules:
    """The access rules of the application that got the request; `application` stores them there."""
    rules = connection.app.state.access_rules
    assert isinstance(rules, AccessRules)
    return rules


_BEARER = HTTPBearer(scheme_name="token", bearerFormat="JWT", description="`pagemill token`", auto_error=False)
_COOKIE = APIKeyCookie(name=COOKIE, scheme_name="login", description="`POST /api/login` sets it", auto_error=False)


async def credentials_of(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> RequestToken:
    """The token of the `Authorization` header, or else of the cookie."""
    if bearer is not None:
        return RequestToken(bearer.credentials, by_cookie=False)
    return RequestToken(cookie, by_cookie=True)


async def reader(request: Request, credentials: Annotated[RequestToken, Depends(credentials_of)]) -> Access:
    """For routes that only read: 401 without a valid token."""
    return rules_of(request).to_read(request, credentials)


async def changer(request: Request, credentials: Annotated[RequestToken, Depends(credentials_of)]) -> Access:
    """For routes that change something: 401 without a valid token, 403 if its role may only read."""
    return rules_of(request).to_change(request, credentials)


Reader = Annotated[Access, Depends(reader)]
"""The parameter type that opens a route to readers."""

Changer = Annotated[Access, Depends(changer)]
"""The parameter type that opens a route only to those who may change something."""
