"""Which IP addresses are private: they lead to this machine, to its network, or to nobody in particular. Pure.

Anybody can register a name and let it lead to a private address. So listing a name does not list its address, unless
the name belongs to the own network.
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
"""The networks and their purposes. 198.18.0.0/15 is missing: some proxies answer every lookup with it."""

_NETWORKS = tuple(ipaddress.ip_network(network) for network, _why in PRIVATE)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64: the last four bytes are an IPv4 address."""


_INTERNAL = frozenset({"local", "internal", "intranet", "private", "corp", "home", "lan"})
"""Top-level domains that do not exist in the public DNS (RFC 6762, appendix G; `internal` by ICANN)."""


def is_internal(name: str) -> bool:
    """Whether only this network's owner decides where a name leads: it has no dot (a container, a machine nearby), or
    is below a domain that nobody can register."""
    _first, dot, top = name.rpartition(".")
    return not dot or top in _INTERNAL or f".{name}".endswith(".home.arpa")


def address_of(text: str) -> Address | None:
    """The address that the text states; `None` if it is none. An IPv4 address wrapped in IPv6 is returned as IPv4."""
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
    """Whether the address may only be used by platforms that list it."""
    return any(address in network for network in _NETWORKS)
