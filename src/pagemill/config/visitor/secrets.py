"""What must not be written in a platform's YAML about its visitor: addresses of proxies, passwords, sessions.

Values only; no `repr` and no message shows a secret. `environment` reads the variables; whoever needs a session reads
its file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from pagemill.config.mistakes import Mistake
from pagemill.config.web_address import WEB_PORTS, read_web_address

PROXY_PREFIX = "PAGEMILL_PROXY_"
CREDENTIALS_PREFIX = "PAGEMILL_CREDENTIALS_"

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_PORTS = {**WEB_PORTS, "socks5": 1080}
_PROXY_FORM = (
    "write http://user:password@host:port, https://... or socks5://host:port, and in a password / # ? @ and : as %2F "
    "%23 %3F %40 and %3A"
)


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value) or value.endswith("_FILE"):
        remedy = "write a name of up to 40 capital letters, digits and _, such as SEOUL_A; it ends a variable's name"
        raise Mistake("is not a name", remedy)  # it may be the secret itself, so it is not repeated
    return value


SecretName = Annotated[str, AfterValidator(_check_name)]
"""The end of the name of the environment variable with a secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Reads `user:password`; only the first colon separates them.

        Raises:
            Mistake: it has another form.
        """
        user, colon, password = text.partition(":")
        if not colon or not user or not text.isprintable():
            raise Mistake("is not user:password", "write the user, a colon and the password in one line")
        return cls(user, password)


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """A proxy that requests can go through."""

    scheme: str
    host: str = field(repr=False)
    port: int = field(repr=False)
    credentials: Credentials | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> ProxyAddress:
        """Reads `http://user:password@host:port`, `https://...` or `socks5://host:port`.

        Raises:
            Mistake: it is none of these.
        """
        try:
            place = read_web_address(text, may_sign_in=True, ports=_PORTS)
        except Mistake as mistake:
            raise Mistake(f"is not the address of a proxy: {mistake.message}", _PROXY_FORM) from None
        parts = urlsplit(text)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise Mistake("has something behind host and port", _PROXY_FORM)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme == "socks5" and (user or password):
            remedy = (
                "use the provider's http:// or https:// address, have it allow this machine's address without a "
                "password, or run a local relay that signs in"
            )
            raise Mistake("Chromium cannot sign in to a SOCKS proxy", remedy)
        if password and not user:
            raise Mistake("has a password and no user", _PROXY_FORM)
        credentials = Credentials(user, password) if user else None
        return cls(parts.scheme, place.host, place.port, credentials)

    @property
    def server(self) -> str:
        """The address without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy with its name, which may be shown, and its address, which must not be."""

    name: str
    address: ProxyAddress = field(repr=False)


@dataclass(frozen=True, slots=True)
class VisitorSecrets:
    """All secrets of visitors that a worker needs."""

    proxies: Mapping[str, ProxyAddress] = field(default_factory=dict, repr=False)
    """Addresses by name: `SEOUL_A` for PAGEMILL_PROXY_SEOUL_A."""
    credentials: Mapping[str, Credentials] = field(default_factory=dict, repr=False)
    """By name: "STAGING" for PAGEMILL_CREDENTIALS_STAGING."""
    storage: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """A `storage_state.StorageState` for each platform that has one."""
