"""Which addresses a platform may be visited at: the one place that decides it.

Only `http` and `https` are ever allowed. A rule is a host name, `*.name` for its subdomains, or an IP address, each
with `:port` or without; without one, any port is allowed. Everything that no rule names is refused, private and
loopback addresses among it: a platform that wants one lists it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class HostRule:
    """One entry of a platform's `hosts`."""

    host: str
    subdomains: bool = False
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> HostRule:
        """Reads `www.shop.com`, `*.shop.com`, `127.0.0.1:8900` or `[::1]:80`.

        Raises:
            ValueError: it is none of these; the message says what is wrong.
        """
        entry = text.strip().lower()
        if "/" in entry:
            raise ValueError(f"{text!r} is not a host: write the name alone, without scheme and path")
        bare, port = _split_port(entry)
        try:
            return cls(str(ipaddress.ip_address(bare.strip("[]"))), port=port)
        except ValueError:
            pass
        ascii_name = _to_ascii(bare)
        if ascii_name is None or not _NAME.fullmatch(ascii_name):
            raise ValueError(f"{text!r} is not a host: write a name such as www.shop.com, or an address")
        if ascii_name.startswith("*."):
            return cls(ascii_name[2:], subdomains=True, port=port)
        return cls(ascii_name, port=port)

    def covers(self, host: str, port: int) -> bool:
        """Whether this rule allows that host (lower case, ASCII) at that port."""
        if self.port is not None and self.port != port:
            return False
        if self.subdomains:
            return host.endswith("." + self.host)
        return host == self.host


class HostRules:
    """All `hosts` of one platform."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._rules = tuple(HostRule.parse(entry) for entry in entries)

    def refusal(self, url: str) -> str | None:
        """Why that URL must not be visited, or `None` when it may be."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            return f"not a URL: {url[:200]!r}"
        if parts.scheme not in ("http", "https"):
            return f"not an http or https URL: {url[:200]!r}"
        if parts.username is not None or parts.password is not None:
            return f"a URL with a user name is refused: {parts.hostname}"
        host = _normal_host(parts.hostname or "")
        if not host:
            return f"a URL without a host: {url[:200]!r}"
        actual_port = port if port is not None else (443 if parts.scheme == "https" else 80)
        if any(rule.covers(host, actual_port) for rule in self._rules):
            return None
        return f"host {host} is not one of the platform's hosts"


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, _port(rest[1:]) if rest.startswith(":") else None
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, _port(port)
    return entry, None


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{text!r} is not a port: write a number from 1 to 65535")
    return int(text)


def _normal_host(host: str) -> str:
    host = host.rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return _to_ascii(host) or ""


def _to_ascii(name: str) -> str | None:
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
