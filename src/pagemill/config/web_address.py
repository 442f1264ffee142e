"""Which texts are usable http or https addresses, and where they lead: the one place that decides it.

Browsers accept more spellings of addresses than Python: they read `127.1`, `2130706433`, `0x7f.1` and `127%2e0.0.1` as
127.0.0.1, take a backslash for a slash, and drop tabs (url.spec.whatwg.org). So nothing is translated here: an address
is accepted only in the one spelling that all programs read alike. All others are refused. `hosts` decides which hosts a
platform may be visited at.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from pagemill.config.mistakes import Mistake

MAX_URL_CHARS = 8000
LOCALHOST = ("127.0.0.1", "::1")
"""Browsers do not look up `localhost` and the names below it (RFC 6761)."""

WEB_PORTS = {"http": 80, "https": 443}
NAME_MAX_LENGTH = 253
ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.DOTALL)
"""What browsers read as an IPv4 address, even with fewer than four parts (WHATWG, "ends in a number checker")."""

_START = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"(?:https?:)?//", re.ASCII | re.IGNORECASE)
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UP_TO_USER = re.compile(r".*@", re.DOTALL)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
"""Changes ASCII letters only: Python's `str.lower` also turns the Kelvin sign into a plain k."""

_WRITE_WHOLE = "write the whole address, such as https://www.shop.com/products/123"
_WRITE_ENCODED = "write it without, or percent-encoded: a space is %20"


@dataclass(frozen=True, slots=True)
class HostAndPort:
    """Where a URL leads: a host as rules compare it, and a port."""

    host: str
    port: int

    @property
    def fixed_addresses(self) -> tuple[str, ...]:
        """Addresses that need no lookup: an address itself, and those of `localhost`; else none."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return LOCALHOST
        return (self.host,) if is_address(self.host) else ()


def read_web_address(url: str, *, may_sign_in: bool = False, ports: Mapping[str, int] = WEB_PORTS) -> HostAndPort:
    """Where an address leads.

    Args:
        url: the address; spaces around it are ignored.
        may_sign_in: whether it may contain a user and a password.
        ports: the allowed schemes, each with its default port.

    Raises:
        Mistake: the address cannot be used. The message repeats no part of it.
    """
    text = url.strip(" ")
    if UNPRINTABLE.search(text):
        raise Mistake("a URL with a control character is refused", _WRITE_ENCODED)
    start = _START.match(text)
    scheme = "" if start is None else start["scheme"].lower()
    if start is None or scheme not in ports:
        *others, last = ports
        raise Mistake(f"not an {', '.join(others)} or {last} URL", _WRITE_WHOLE)
    authority = start["authority"]
    if "\\" in authority:
        raise Mistake("a URL with a backslash before its path is refused", "write / for each of them")
    if "@" in authority and not may_sign_in:
        raise Mistake("a URL with a user name is refused", "write it without what stands before the @")
    authority = authority.rpartition("@")[2]
    if not authority:
        raise Mistake("a URL without a host", _WRITE_WHOLE)
    bare, port_text = split_port(authority)
    port = port_of(port_text) if port_text else ports[scheme]
    # An IPv6 address without brackets is allowed in a rule, but not in a URL.
    host = one_spelling(bare) if bare.startswith("[") or ":" not in bare else None
    if host is None or port is None:
        remedy = "write a name in its ASCII form or an address in full, and a port from 1 to 65535"
        raise Mistake("a URL whose host can be read in more than one way, or in none", remedy)
    return HostAndPort(host, port)


def host_and_port_of(url: str) -> HostAndPort | str:
    """Where a URL leads, or why that cannot be said. A password in it is never repeated."""
    try:
        return read_web_address(url)
    except Mistake as mistake:
        return f"{mistake.message}: {_shown(url)}"


def fault_of_text(url: str) -> str:
    """Why a received text cannot be an address or a part of one, with the remedy; empty if it can."""
    if len(url) > MAX_URL_CHARS:
        return f"the url is longer than {MAX_URL_CHARS} characters: leave out what the page need not be told"
    if UNPRINTABLE.search(url) or " " in url:
        return f"not a URL, for it has a space or a control character in it: {_shown(url)}: {_WRITE_ENCODED}"
    return ""


def fault_of(url: str) -> str:
    """Why a received address cannot be visited, with the remedy; empty if it can."""
    if fault := fault_of_text(url):
        return fault
    try:
        read_web_address(url)
    except Mistake as mistake:
        return f"{mistake.message}: {_shown(url)}: {mistake.remedy}"
    return ""


def usable_text(url: str) -> str:
    """Returns the text unchanged; a validator for pydantic models.

    Raises:
        ValueError: the fault that `fault_of_text` finds.
    """
    if fault := fault_of_text(url):
        raise ValueError(fault)
    return url


def is_whole_address(text: str) -> bool:
    """Whether a text names a host, with `http:` or `https:` or with `//` alone. If not, it is relative to a page."""
    return _WHOLE.match(text) is not None


def split_port(text: str) -> tuple[str, str | None]:
    """The host (an IPv6 address with its brackets), and the text after the colon, `None` without one."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if bracket and rest[:1] in ("", ":"):
            return host + bracket, rest[1:] if rest else None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def port_of(text: str) -> int | None:
    """The port's number; `None` if it is not one from 1 to 65535."""
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or not 0 < int(text) <= 65535:
        return None
    return int(text)


def one_spelling(host: str) -> str | None:
    """The host in the one spelling in which hosts are compared; `None` if programs might read it differently."""
    if host.startswith("[") or host.count(":") > 1:
        return _ipv6(host)
    if len(host) > NAME_MAX_LENGTH:
        return None
    name = _to_ascii(host.translate(_ASCII_LOWER).removesuffix("."))
    if name is None or not _NAME.fullmatch(name):
        return None
    if ENDS_IN_NUMBER.fullmatch(name) and not is_address(name):
        return None
    return name


def _ipv6(host: str) -> str | None:
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if "%" in bare:  # a zone, which a browser's URL cannot have
        return None
    try:
        return str(ipaddress.IPv6Address(bare))
    except ValueError:
        return None


def _to_ascii(name: str) -> str | None:
    """Punycode for a name that needs no folding or mapping. For such names old (2003) and new IDNA agree."""
    if name.isascii():
        return name
    if unicodedata.normalize("NFKC", name.casefold()) != name:
        return None
    try:
        encoded = name.encode("idna")
        return encoded.decode("ascii") if encoded.decode("idna") == name else None
    except UnicodeError:
        return None


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _shown(url: str) -> str:
    return repr(_UP_TO_USER.sub("***@", url)[:200])
