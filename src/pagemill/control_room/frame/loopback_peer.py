"""Whether a connection over loopback comes from this user. An API without a secret relies on it.

Every user of a machine reaches its loopback addresses, and so does everybody behind a proxy there. The kernel knows
which user owns the other end. A proxy's headers are checked as well, because the proxy may run as this user.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from starlette.datastructures import Headers

IS_OWN = "is_own"
"""The key in a connection's state of a function: whether the other end is a process of this user."""

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_BY_PROXIES = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"})
_BY_PROXIES_BEGINS = "x-forwarded"

SocketAddress = tuple[str, int]


def is_passed_on(headers: Headers) -> bool:
    """Whether headers of a proxy say that the request came from another client."""
    return any(name in _BY_PROXIES or name.startswith(_BY_PROXIES_BEGINS) for name in headers)


def is_own_end(here: SocketAddress, there: SocketAddress) -> bool:
    """Whether the other end of this local connection is a process of this user.

    False for a connection that is being closed, because the kernel lists it under root.
    """
    wanted = (_normal(there[0]), there[1], _normal(here[0]), here[1])
    for table in _TABLES:
        try:
            rows = table.read_text().splitlines()
        except OSError:
            continue
        for row in rows:
            if f":{there[1]:04X} " in row:
                _, local, remote, state, *_, uid = row.split(maxsplit=8)[:8]
                if state == _ESTABLISHED and (*_place(local), *_place(remote)) == wanted:
                    return int(uid) == os.getuid()
    return False


def _place(written: str) -> tuple[IPv4Address | IPv6Address, int]:
    """Reads `0100007F:1F43`: an address in four-byte words of the machine's byte order, and a port."""
    address, port = written.split(":")
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return _normal(ip_address(b"".join(words))), int(port, 16)


def _normal(address: str | IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    parsed = ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
