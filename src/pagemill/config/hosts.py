"""Which addresses a platform may be visited at: the one place that decides it.

Only `http` and `https` are ever allowed. A rule is a host name, `*.name` for its subdomains, or an IP address, each
with or without `:port`; without one, any port is allowed. A rule may also be a network of addresses. What no rule names
is refused. The owner of a name decides where it leads, so a name allows no private address. Such an address must be
listed itself, unless the name belongs to the own network. `web_address` decides what a URL is and where it leads.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pagemill.config.mistakes import Mistake
from pagemill.config.private_addresses import Address, Network, address_of, is_internal, is_private
from pagemill.config.web_address import (
    ENDS_IN_NUMBER,
    LOCALHOST,
    NAME_MAX_LENGTH,
    HostAndPort,
    host_and_port_of,
    is_address,
    one_spelling,
    port_of,
    split_port,
)

_MAX_KNOWN = 500
_LIKE_A_NETWORK = re.compile(r"[0-9a-f.:]+/[0-9]+", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of a platform's `hosts`."""

    host: str
    subdomains: bool = False
    port: int | None = None
    network: Network | None = None
    """Set for a whole network; `host` is its text then."""

    @classmethod
    def parse(cls, text: str) -> HostRule:
        """Reads `www.shop.com`, `*.shop.com`, `127.0.0.1:8900`, `[::1]:80` or `10.0.0.0/8`.

        Raises:
            ValueError: it is none of these. The message (of a `Mistake`) says what is wrong.
        """
        entry = text.strip()
        if "@" in entry:
            raise Mistake("a host with a user name is refused", "write the host alone")
        if (network := _network(entry)) is not None:
            return cls(str(network), network=network)
        if "/" in entry or "\\" in entry:
            raise Mistake(f"{text!r} is not a host", "write the name alone, without scheme and path")
        subdomains = entry.startswith("*.")
        bare, port_text = split_port(entry.removeprefix("*."))
        port = None
        if port_text is not None:
            port = port_of(port_text)
            if port is None:
                raise Mistake(f"{text!r} has no valid port", "write a number from 1 to 65535 after the colon")
        host = one_spelling(bare)
        if host is None:
            raise Mistake(f"{text!r} is not a host", _remedy(bare))
        if subdomains and (is_address(host) or "." not in host):
            raise Mistake(f"{text!r} would cover too much", "write a wildcard with a whole name, such as *.shop.com")
        return cls(host, subdomains=subdomains, port=port)

    @property
    def is_name(self) -> bool:
        """Whether it is a single name, whose owner decides where it leads."""
        return not self.subdomains and self.network is None and not HostAndPort(self.host, 0).fixed_addresses

    def covers(self, host: str, port: int) -> bool:
        """Whether this rule allows that host (lower case, ASCII, an IPv6 address without brackets) at that port."""
        if self.port is not None and self.port != port:
            return False
        if self.subdomains:
            return host.endswith("." + self.host)
        if self.network is not None:
            return is_address(host) and ipaddress.ip_address(host) in self.network
        return host == self.host

    def lists(self, address: Address, port: int) -> bool:
        """Whether this rule lists that address, so that names may lead to it. `localhost` lists its two addresses."""
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address in self.network
        return str(address) in LOCALHOST if self.host == "localhost" else address_of(self.host) == address


class HostRules:
    """All `hosts` of one platform."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._rules = tuple(HostRule.parse(entry) for entry in entries)
        self._known: dict[str, str | None] = {}

    def refusal(self, url: str) -> str | None:
        """Why that URL must not be visited; `None` if it may be. A password in it is never repeated.

        The addresses of a name are not checked here: see `refusal_of`.
        """
        place = host_and_port_of(url)
        if isinstance(place, str):
            return place
        if any(rule.covers(place.host, place.port) for rule in self._rules):
            return None
        return f"host {place.host} is not one of the platform's hosts"

    def refusal_of(self, place: HostAndPort, addresses: Iterable[str]) -> str | None:
        """Why nothing may connect to a host with these addresses; `None` if it may."""
        if is_internal(place.host) and any(rule.covers(place.host, place.port) for rule in self._rules):
            return None
        for text in addresses:
            address = address_of(text)
            if address is None or not is_private(address):
                continue
            if not any(rule.lists(address, place.port) for rule in self._rules):
                leads = "is a private address" if text == place.host else f"resolves to the private address {text}"
                return f"host {place.host} {leads}: list it in hosts to allow it"
        return None

    def refusal_of_data(self, url: str) -> str | None:
        """Why a page must not ask that URL for data; `None` if it may. Any host may give data, but no private address
        that is not listed. Answers are kept by origin, because pages ask the same few ones all the time.

        Args:
            url: as Chromium writes it.
        """
        end = url.find("/", len("https://"), NAME_MAX_LENGTH + len("https://:65535/"))
        if end < 0:
            return self._refusal_of_origin(url)
        origin = url[:end]
        if origin not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[origin] = self._refusal_of_origin(url)
        return self._known[origin]

    def _refusal_of_origin(self, url: str) -> str | None:
        place = host_and_port_of(url)
        if isinstance(place, str):
            return None
        refusals = [self.refusal_of(place, [address]) for address in place.fixed_addresses]
        return refusals[0] if refusals and all(refusals) else None  # `localhost` may lead to either of its two


def _network(entry: str) -> Network | None:
    """The network that an entry such as `10.0.0.0/8` names; `None` without a slash and a length.

    Raises:
        Mistake: it looks like a network but is none.
    """
    if not _LIKE_A_NETWORK.fullmatch(entry):
        return None
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise Mistake(f"{entry!r} is not a network", "write its first address and its length: 10.0.0.0/8") from error


def _remedy(bare: str) -> str:
    if ENDS_IN_NUMBER.fullmatch(bare.lower()):
        return "write an IPv4 address as four plain decimal numbers, such as 127.0.0.1"
    if not bare.isascii():
        return "write the name in its ASCII form, which starts with xn--"
    return "write a name such as www.shop.com, or an address"
