"""Which IP addresses are private: they lead to this machine, to its network, or to nobody in particular. Pure.

A name that anybody may register can lead to any of them, so a name that is listed does not list its address. A name of
the own network's does.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "unspecified: Linux takes it for loopback"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "behind a carrier's address translation"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local, and where clouds keep a machine's credentials"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("fc00::/7", "unique local"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local, which fc00::/7 has replaced"),
    ("ff00::/8", "multicast"),
)
"""Networks with what they are for. 198.18.0.0/15 is left out: proxies of whole machines answer every name with it."""

_NETWORKS = tuple(ipaddress.ip_network(network) for network, _why in PRIVATE)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64: the last four bytes are an IPv4 address."""


_INTERNAL = frozenset({"local", "internal", "intranet", "private", "corp", "home", "lan"})
"""Top-level domains that are nobody's in the public DNS (RFC 6762, appendix G; `internal` by ICANN)."""


def is_internal(name: str) -> bool:
    """Whether a name can lead only where this network's owner wants: one without a dot, as of a container or a machine
    nearby, or one below a domain that nobody can register."""
    _first, dot, top = name.rpartition(".")
    return not dot or top in _INTERNAL or f".{name}".endswith(".home.arpa")


def address_of(text: str) -> Address | None:
    """The address that a text is, `None` where it is none. What IPv6 only wraps is an IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_private(address: Address) -> bool:
    """Whether only a platform that lists it may be led there."""
    return any(address in network for network in _NETWORKS)
