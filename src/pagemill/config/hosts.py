"""Which addresses a platform may be visited at: the one place that decides it.

Only `http` and `https` are ever allowed. A rule is a host name, `*.name` for its subdomains, or an IP address, each
with `:port` or without; without one, any port is allowed. Or it is a network of addresses. Everything that no rule
names is refused. A name leads where its owner wants, so it allows no private address: that must be listed itself,
unless the name is one of the own network's.

Browsers read addresses more generously than Python: `127.1`, `2130706433`, `0x7f.1` and `127%2e0.0.1` are all
127.0.0.1 to them, a backslash is a slash, tabs vanish (url.spec.whatwg.org). So nothing is translated here: an address
is accepted only in the one spelling that every reader takes alike, and all others are refused.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pagemill.config.mistakes import Mistake
from pagemill.config.private_addresses import Address, Network, address_of, is_internal, is_private

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.DOTALL)
"""What a browser reads as an IPv4 address however few parts it has (WHATWG, "ends in a number checker")."""
_NAME_MAX_LENGTH = 253
_MAX_KNOWN = 500
_LIKE_A_NETWORK = re.compile(r"[0-9a-f.:]+/[0-9]+", re.ASCII | re.IGNORECASE)
LOCALHOST = ("127.0.0.1", "::1")
"""Browsers ask nobody about `localhost` and what stands below it (RFC 6761)."""

_URL_START = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UP_TO_USER = re.compile(r".*@", re.DOTALL)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""Python's `str.lower` also turns the Kelvin sign into a plain k."""


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of a platform's `hosts`."""

    host: str
    subdomains: bool = False
    port: int | None = None
    network: Network | None = None
    """Set for a whole network; `host` is its text."""

    @classmethod
    def parse(cls, text: str) -> HostRule:
        """Reads `www.shop.com`, `*.shop.com`, `127.0.0.1:8900`, `[::1]:80` or `10.0.0.0/8`.

        Raises:
            ValueError: it is none of these; the message (of a `Mistake`) says what is wrong.
        """
        entry = text.strip()
        if "@" in entry:
            raise Mistake("a host with a user name is refused", "write the host alone")
        if (network := _network(entry)) is not None:
            return cls(str(network), network=network)
        if "/" in entry or "\\" in entry:
            raise Mistake(f"{text!r} is not a host", "write the name alone, without scheme and path")
        subdomains = entry.startswith("*.")
        bare, port_text = _split_port(entry.removeprefix("*."))
        port = None
        if port_text is not None:
            port = _port(port_text)
            if not port:
                raise Mistake(f"{text!r} has no valid port", "write a number from 1 to 65535 after the colon")
        host = _one_spelling(bare)
        if host is None:
            raise Mistake(f"{text!r} is not a host", _remedy(bare))
        if subdomains and (_is_address(host) or "." not in host):
            raise Mistake(f"{text!r} would cover too much", "write a wildcard with a whole name, such as *.shop.com")
        return cls(host, subdomains=subdomains, port=port)

    @property
    def is_name(self) -> bool:
        """Whether it is one name, whose owner says where it leads."""
        return not self.subdomains and self.network is None and not HostAndPort(self.host, 0).fixed_addresses

    def covers(self, host: str, port: int) -> bool:
        """Whether this rule allows that host (lower case, ASCII, an IPv6 address without brackets) at that port."""
        if self.port is not None and self.port != port:
            return False
        if self.subdomains:
            return host.endswith("." + self.host)
        if self.network is not None:
            return _is_address(host) and ipaddress.ip_address(host) in self.network
        return host == self.host

    def lists(self, address: Address, port: int) -> bool:
        """Whether this rule names that address, so that names may lead to it. `localhost` names the two it has."""
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
        """Why that URL must not be visited, or `None` when it may be. A password in it is never repeated.

        Where a name leads is not looked at: see `refusal_of`.
        """
        place = host_and_port_of(url)
        if isinstance(place, str):
            return place
        if any(rule.covers(place.host, place.port) for rule in self._rules):
            return None
        return f"host {place.host} is not one of the platform's hosts"

    def refusal_of(self, place: HostAndPort, addresses: Iterable[str]) -> str | None:
        """Why nothing may go to a place that has these addresses, or `None` when it may."""
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
        """Why a page must not ask for data there, which may come from any host but from no private address that is not
        listed; `None` when it may. Answers by origin from memory: pages ask the same few over and over.

        Args:
            url: as Chromium writes it.
        """
        end = url.find("/", len("https://"), _NAME_MAX_LENGTH + len("https://:65535/"))
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


@dataclass(frozen=True, slots=True)
class HostAndPort:
    """Where a URL leads: a host as rules compare it, and a port."""

    host: str
    port: int

    @property
    def fixed_addresses(self) -> tuple[str, ...]:
        """The addresses that it has whoever is asked: of an address itself, and of `localhost`; else none."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return LOCALHOST
        return (self.host,) if _is_address(self.host) else ()


def host_and_port_of(url: str) -> HostAndPort | str:
    """Where a URL leads, or why it cannot be said. A password in it is never repeated."""
    text = url.strip(" ")
    if _CONTROL.search(text):
        return f"a URL with a control character is refused: {_shown(url)}"
    start = _URL_START.match(text)
    if start is None:
        return f"not an http or https URL: {_shown(url)}"
    authority = start["authority"]
    if "\\" in authority:
        return f"a URL with a backslash before its path is refused: {_shown(url)}"
    if "@" in authority:
        return f"a URL with a user name is refused: {_shown(url)}"
    if not authority:
        return f"a URL without a host: {_shown(url)}"
    bare, port_text = _split_port(authority)
    port = _port(port_text) if port_text else _DEFAULT_PORTS[start["scheme"].lower()]
    # Without its brackets an IPv6 address is fine in a rule, but nothing in a URL.
    host = _one_spelling(bare) if bare.startswith("[") or ":" not in bare else None
    if host is None or port is None:
        return f"a URL whose host can be read in more than one way, or in none: {_shown(url)}"
    return HostAndPort(host, port)


def _network(entry: str) -> Network | None:
    """The network that an entry such as `10.0.0.0/8` names; `None` for anything without a slash and a length.

    Raises:
        Mistake: it looks like one and is none.
    """
    if not _LIKE_A_NETWORK.fullmatch(entry):
        return None
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise Mistake(f"{entry!r} is not a network", "write its first address and its length: 10.0.0.0/8") from error


def _split_port(text: str) -> tuple[str, str | None]:
    """The host, an IPv6 address in its brackets, and what follows the colon, `None` without one."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if bracket and rest[:1] in ("", ":"):
            return host + bracket, rest[1:] if rest else None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _port(text: str) -> int | None:
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or int(text) > 65535:
        return None
    return int(text)


def _one_spelling(host: str) -> str | None:
    """The host as rules and addresses are compared, or `None` when readers of URLs might disagree about it."""
    if host.startswith("[") or host.count(":") > 1:
        return _ipv6(host)
    if len(host) > _NAME_MAX_LENGTH:
        return None
    name = _to_ascii(host.translate(_ASCII_LOWER).removesuffix("."))
    if name is None or not _NAME.fullmatch(name):
        return None
    if _ENDS_IN_NUMBER.fullmatch(name) and not _is_address(name):
        return None
    return name


def _ipv6(host: str) -> str | None:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if "%" in bare:  # a zone, which no URL of a browser may have
        return None
    try:
        return str(ipaddress.IPv6Address(bare))
    except ValueError:
        return None


def _to_ascii(name: str) -> str | None:
    """Punycode for a name that needs no folding and no mapping; there, old (2003) and new IDNA agree."""
    if name.isascii():
        return name
    if unicodedata.normalize("NFKC", name.casefold()) != name:
        return None
    try:
        encoded = name.encode("idna")
        return encoded.decode("ascii") if encoded.decode("idna") == name else None
    except UnicodeError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _remedy(bare: str) -> str:
    if _ENDS_IN_NUMBER.fullmatch(bare.lower()):
        return "write an IPv4 address as four plain decimal numbers, such as 127.0.0.1"
    if not bare.isascii():
        return "write the name in its ASCII form, which starts with xn--"
    return "write a name such as www.shop.com, or an address"


def _shown(url: str) -> str:
    return repr(_UP_TO_USER.sub("***@", url)[:200])
