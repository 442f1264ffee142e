"""How requests without a page get to the shop: the check of addresses, the visitor's proxies and cookies.

`browser.visitor.proxies` knows the proxies. It stands beside this folder and is not imported here.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from pagemill.config.hosts import HostRules
from pagemill.config.visitor.secrets import Proxy, ProxyAddress
from pagemill.config.visitor.storage_state import StorageState, StoredCookie
from pagemill.config.visitor.visitor import Visitor
from pagemill.config.web_address import host_and_port_of
from pagemill.errors import VisitRefused

if TYPE_CHECKING:
    import httpx


Check = Callable[[Any], Awaitable[None]]
"""Is called with a connection of httpcore."""


class ProxyTurns(Protocol):
    """Which proxy is next, and which ones rest. A protocol because the real thing stands beside this folder."""

    def take(self, visitor: Visitor) -> Proxy | None: ...
    def rests(self, name: str) -> bool: ...
    def failed(self, name: str, reason: str) -> None: ...
    def worked(self, name: str) -> None: ...
    def any_awake(self, names: Sequence[str]) -> bool: ...
    def trouble(self, names: Sequence[str]) -> str: ...


class Trace:
    """How far one request has come, from httpcore's trace events: its exceptions do not say which step failed."""

    def __init__(self) -> None:
        self.check: Check | None = None
        """Checks each new connection before anything is sent over it. If it raises, the request ends."""
        self._failed = ""
        self._left_open: Any = None

    async def hear(self, event: str, info: Mapping[str, Any]) -> None:
        """Handles an event of httpcore's extension `trace`."""
        if event.endswith(".failed"):
            self._failed = self._failed or event.removesuffix(".failed")
        elif event == "socks.connect_tcp.complete":
            self._left_open = info["return_value"]
        elif event == "socks.setup_socks5_connection.complete":
            self._left_open = None
        if self.check is not None and event == "connection.connect_tcp.complete":
            await self.check(info["return_value"])

    async def close(self) -> None:
        """Closes the connection to a SOCKS proxy that has not let the request in: httpcore 1.0 leaves it open."""
        if self._left_open is not None:
            await self._left_open.aclose()

    def proxy_fault(self, error: httpx.HTTPError, proxy: ProxyAddress) -> str:
        """What is wrong with the proxy that made the request fail; empty if the proxy is not to blame."""
        import httpx

        if isinstance(error, httpx.ProxyError):
            if "407" in str(error):
                return "refuses user and password"
            return "opens no connection" if proxy.scheme == "socks5" else "opens no tunnel"
        if self._failed in ("connection.connect_tcp", "socks.connect_tcp"):
            return "cannot be reached"
        if self._failed != "connection.start_tls":  # within a tunnel, the handshake is the shop's
            return ""
        is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return "has a certificate that is not valid" if is_certificate else "takes no TLS connection: is it http://?"


def trusted() -> ssl.SSLContext:
    """A TLS context with the machine's certificates (or those of `SSL_CERT_FILE`) and those of httpx."""
    import httpx

    tls = httpx.create_ssl_context(trust_env=False)
    tls.load_default_certs()
    return tls


def connection_check(rules: HostRules, url: str) -> Check:
    """A check that raises `VisitRefused` if a connection leads to an address that is not allowed."""
    place = host_and_port_of(url)

    async def look(stream: Any) -> None:
        if isinstance(place, str):
            return
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
    """Whether RFC 6265, section 5.4, sends the cookie to that address."""
    host, path, domain = parts.hostname or "", parts.path or "/", cookie.domain.lower()
    is_host = host == domain or (domain.startswith(".") and (host == domain[1:] or host.endswith(domain)))
    below = cookie.path if cookie.path.endswith("/") else f"{cookie.path}/"
    is_path = path == cookie.path or path.startswith(below)
    is_alive = cookie.expires < 0 or cookie.expires > time.time()
    is_elsewhere = cookie.partition_key is not None and cookie.is_embedded
    return is_host and is_path and is_alive and not is_elsewhere and (not cookie.secure or parts.scheme == "https")
