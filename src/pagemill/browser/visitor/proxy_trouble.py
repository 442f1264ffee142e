"""Finds out whether a visit failed because of its proxy, and says so without the proxy's address.

Chromium's errors name most faults of a proxy. If they do not, as after a time-out, the proxy is asked whether it takes
a connection at all. So a slow or broken shop does not make its proxies rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl

from pagemill.config.visitor.secrets import ProxyAddress
from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded, ItemError, PageLost

_CONNECT_S = 3.0
REFUSES = "refuses user and password"
UNREACHABLE = "cannot be reached"
NO_TLS = "takes no TLS connection: is it http://?"

_NAMED = {
    "PROXY_CONNECTION_FAILED": UNREACHABLE,
    "SOCKS_CONNECTION_FAILED": "opens no connection",
    "SOCKS_CONNECTION_HOST_UNREACHABLE": "opens no connection",
    "TUNNEL_CONNECTION_FAILED": "opens no tunnel",
    "PROXY_AUTH_UNSUPPORTED": "wants a kind of sign-in that is not known",
    "PROXY_AUTH_REQUESTED": REFUSES,
    "PROXY_AUTH_REQUESTED_WITH_NO_CONNECTION": REFUSES,
    "PROXY_CERTIFICATE_INVALID": "has a certificate that is not valid",
    "HTTPS_PROXY_TUNNEL_RESPONSE_REDIRECT": "opens no tunnel",
    "PROXY_UNABLE_TO_CONNECT_TO_DESTINATION": "opens no connection",
    "NO_SUPPORTED_PROXIES": "is of a kind that Chromium does not know",
    "MANDATORY_PROXY_CONFIGURATION_FAILED": "cannot be used",
}
_NET_ERROR = re.compile(r"net::ERR_(\w+)")


async def proxy_trouble(error: BaseException | None, address: ProxyAddress, *, refused: bool) -> str:
    """What is wrong with the proxy; empty if it is not to blame. Takes at most a few seconds.

    Args:
        error: the error that ended the visit, if there was one.
        address: of the context's proxy.
        refused: whether the proxy has refused user and password.
    """
    if refused:
        return REFUSES
    if not isinstance(error, ItemError | DeadlineExceeded) or isinstance(error, PageLost):
        return ""
    found = _NET_ERROR.search(str(error))
    named = "" if found is None else _NAMED.get(found[1], "")
    if named not in ("", UNREACHABLE):
        return named
    if found is None and not isinstance(error, DeadlineExceeded):
        return ""
    if not await _takes_connections(address):
        return UNREACHABLE
    if address.scheme == "https" and not await _takes_connections(address, _any_certificate()):
        return NO_TLS
    return named


async def _takes_connections(address: ProxyAddress, tls: ssl.SSLContext | None = None) -> bool:
    try:
        connecting = asyncio.open_connection(address.host, address.port, ssl=tls)
        _, writer = await within(_CONNECT_S, connecting, "connecting to a proxy")
    except (OSError, DeadlineExceeded):
        return False
    writer.close()
    with contextlib.suppress(OSError, DeadlineExceeded):
        await within(_CONNECT_S, writer.wait_closed(), "closing a connection to a proxy")
    return True


def _any_certificate() -> ssl.SSLContext:
    """Accepts any certificate: nothing is sent over such a connection, and Chromium has checked the certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return tls
