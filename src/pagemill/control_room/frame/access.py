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
    """From the cookie, which a browser sends by itself: another site may have caused the request."""


class AccessRules:
    """The rules of one API, for as long as it runs."""

    def __init__(self, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """
        Args:
            secret: signs the tokens; empty for an API that asks nobody for one.
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
        """Who asks to read.

        Raises:
            TokenRefused: nobody whom a token shows.
            AccessRefused: there is no secret, and `check_host` refuses it.
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
        """Who asks to change something, and may.

        Raises:
            TokenRefused: nobody whom a token shows.
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
        """Who opens a live connection. No browser keeps sites apart there, so strangers may not even read.

        Args:
            token: what the client gave along; without one, the login cookie counts.
            connection: its first request, for Socket.IO `HTTPConnection(environ["asgi.scope"])`.

        Raises:
            TokenRefused: nobody whom a token shows.
            AccessRefused: another site is behind it, or it came by a stranger's name.
        """
        credentials = RequestToken(token or connection.cookies.get(COOKIE), by_cookie=not token)
        access = self.to_read(connection, credentials)
        if not self.asks_for_tokens:
            self.check_site(connection)
        elif credentials.by_cookie:
            said = connection.headers.get("sec-fetch-site", "").lower()
            # What the browser says beats `Origin`, as a proxy may have renamed the host.
            if said not in ("same-origin", "none") if said else not is_own_origin(connection.headers):
                raise RequestForged("another site may not connect")
        return access


def rules_of(connection: HTTPConnection) -> AccessRules:
    """The rules of the application that was asked; `application` puts them there."""
    rules = connection.app.state.access_rules
    assert isinstance(rules, AccessRules)
    return rules


_BEARER = HTTPBearer(scheme_name="token", bearerFormat="JWT", description="`pagemill token`", auto_error=False)
_COOKIE = APIKeyCookie(name=COOKIE, scheme_name="login", description="`POST /api/login` sets it", auto_error=False)


async def credentials_of(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    cookie: Annotated[str | None, Depends(_COOKIE)],
) -> RequestToken:
    """The token of the `Authorization` header, else that of the cookie."""
    if bearer is not None:
        return RequestToken(bearer.credentials, by_cookie=False)
    return RequestToken(cookie, by_cookie=True)


async def reader(request: Request, credentials: Annotated[RequestToken, Depends(credentials_of)]) -> Access:
    """For routes that show something: 401 for who has no token that counts."""
    return rules_of(request).to_read(request, credentials)


async def changer(request: Request, credentials: Annotated[RequestToken, Depends(credentials_of)]) -> Access:
    """For routes that change something: 401 for who has no token that counts, 403 for who may read only."""
    return rules_of(request).to_change(request, credentials)


Reader = Annotated[Access, Depends(reader)]
"""The type of a route's parameter that makes it one for readers."""

Changer = Annotated[Access, Depends(changer)]
"""The type of a route's parameter that makes it one for those who may change something."""
