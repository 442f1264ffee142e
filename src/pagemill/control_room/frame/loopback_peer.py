"""Whether a connection over loopback is this user's own: what an API without a secret goes by.

Everybody on a machine reaches its loopback addresses, and so does everybody whose request a proxy there passes on. The
kernel knows whose the other end is; what a proxy writes into a request counts besides, as it may be this user's.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from starlette.datastructures import Headers

IS_OWN = "is_own"
"""Of a connection's state: whether its other end is a process of this user; asked when it matters."""

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"
_BY_PROXIES = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"})
_BY_PROXIES_BEGINS = "x-forwarded"

SocketAddress = tuple[str, int]


def is_passed_on(headers: Headers) -> bool:
    """Whether a proxy says that it had it from somebody else."""
    return any(name in _BY_PROXIES or name.startswith(_BY_PROXIES_BEGINS) for name in headers)


def is_own_end(here: SocketAddress, there: SocketAddress) -> bool:
    """Whether the other end of this connection within the machine is a process of the user that we are.

    One that is being closed is nobody's: the kernel tells it as root's.
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
    """`0100007F:1F43`: words of four bytes in the machine's order, and the port."""
    address, port = written.split(":")
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    return _normal(ip_address(b"".join(words))), int(port, 16)


def _normal(address: str | IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    parsed = ip_address(address)
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed
