"""The way that requests without a page take to the shop: where it leads, the visitor's proxies and cookies.

What is known of proxies is `browser.visitor.proxies`, which stands beside this folder and is not imported here.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from pagemill.config.hosts import HostRules, place_of
from pagemill.config.storage_state import StorageState, StoredCookie
from pagemill.config.visitor_secrets import Proxy
from pagemill.errors import VisitRefused

if TYPE_CHECKING:
    import httpx


class ProxyTurns(Protocol):
    """Which proxy is next, and which ones rest."""

    def take(self, names: Sequence[str]) -> Proxy | None: ...
    def rests(self, name: str) -> bool: ...
    def failed(self, name: str, reason: str) -> None: ...
    def worked(self, name: str) -> None: ...
    def any_awake(self, names: Sequence[str]) -> bool: ...
    def trouble(self, names: Sequence[str]) -> str: ...


def proxy_fault(error: httpx.HTTPError) -> str:
    """What is wrong with the proxy by which a request failed; empty where it is not to blame."""
    import httpx

    if isinstance(error, httpx.ProxyError):
        return "refuses user and password" if "407" in str(error) else "opens no tunnel"
    if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return ""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):  # it was the shop, behind a tunnel that stands
            return ""
        cause = cause.__cause__ or cause.__context__
    return "cannot be reached"


def connection_check(rules: HostRules, url: str) -> Callable[[str, dict[str, Any]], Coroutine[Any, Any, None]]:
    """A `trace` for httpcore that looks where a new connection leads, before anything is sent over it.

    It raises `VisitRefused`, which ends the request.
    """
    place = place_of(url)

    async def look(step: str, told: dict[str, Any]) -> None:
        if step != "connection.connect_tcp.complete" or isinstance(place, str):
            return
        stream = told["return_value"]
        address = stream.get_extra_info("server_addr")[0]
        if (refusal := rules.refusal_of(place, (address,))) is not None:
            await stream.aclose()
            raise VisitRefused(refusal)

    return look


def cookies_for(address: str, preset: dict[str, str], state: StorageState | None) -> dict[str, str]:
    """The cookies that a request to one of the platform's own hosts is sent with."""
    parts = urlsplit(address)
    stored = () if state is None else state.cookies
    found = {cookie.name: cookie.value for cookie in stored if _is_for(cookie, parts)}
    return found | preset


def _is_for(cookie: StoredCookie, parts: SplitResult) -> bool:
    """As in RFC 6265, 5.4."""
    host, path, domain = parts.hostname or "", parts.path or "/", cookie.domain.lower()
    is_host = host == domain or (domain.startswith(".") and (host == domain[1:] or host.endswith(domain)))
    below = cookie.path if cookie.path.endswith("/") else f"{cookie.path}/"
    is_path = path == cookie.path or path.startswith(below)
    is_alive = cookie.expires < 0 or cookie.expires > time.time()
    return is_host and is_path and is_alive and (not cookie.secure or parts.scheme == "https")
