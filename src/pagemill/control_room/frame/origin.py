"""Checks of a browser's headers that say where a request comes from, against forged requests and DNS rebinding.

Pure: headers in, a judgement out. Programs other than browsers send no such headers, and cannot be misused this way.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pagemill.errors import UsageError

_ROOT_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(:\d{0,5})?")


def is_loopback(name: str) -> bool:
    """Whether this name or address is this machine's loopback, decided without DNS."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def party(address: str) -> str:
    """The client that an address counts for. For IPv6 it is the /64 network, because a household has a whole one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or int(parsed) >> 64)


def check_address(host: str, secret: str) -> None:
    """Refuses to listen on an address that others reach if the API has no secret.

    Raises:
        UsageError: there is no secret, and the address is not loopback.
    """
    if not secret and not is_loopback(host):
        raise UsageError(
            f"without a secret the API listens on loopback only, not on {host or 'every address'}: "
            "set PAGEMILL_API_SECRET, or use --host 127.0.0.1"
        )


def checked_root_path(path: str) -> str:
    """The proxy's path in the form that starts every address, without a slash at its end.

    Raises:
        UsageError: it is not such a path.
    """
    if path not in ("", "/") and not _ROOT_PATH.fullmatch(path):
        raise UsageError(f"--root-path {path!r} is no path: write one such as /pagemill, of letters, digits and -._~")
    return path.rstrip("/")


def check_root_path(path: str, secret: str) -> None:
    """Refuses a proxy's path if the API has no secret.

    Raises:
        UsageError: there is no secret, but a path.
    """
    if path and not secret:
        raise UsageError("--root-path is for a proxy, and behind one the API needs a secret: set PAGEMILL_API_SECRET")


def names_loopback(headers: Headers) -> bool:
    """Whether the `Host` header names this machine's loopback. With DNS rebinding it names a foreign host."""
    hosts = headers.getlist("host")
    match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    return match is not None and is_loopback(match["name"])


def is_cross_site(headers: Headers) -> bool:
    """Whether the browser says that another site caused the request."""
    return headers.get("sec-fetch-site", "").lower() == "cross-site"


def is_own_origin(headers: Headers) -> bool:
    """Whether the request has no `Origin`, or one that equals its `Host`."""
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        place = urlsplit(origin).netloc
    except ValueError:
        return False
    return place != "" and place.lower() == headers.get("host", "").lower()
