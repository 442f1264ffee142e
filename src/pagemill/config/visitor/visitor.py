"""Pydantic model of a platform's `visitor`: whom the shop sees. Secrets are named here and stand in the environment."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator, model_validator

from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.section import Number, Section, Whole
from pagemill.config.visitor.devices import Device, find_device
from pagemill.config.visitor.secrets import SecretName

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COOKIE_VALUE = re.compile(r'[^\x00-\x1f\x7f-\uffff;,"\\ ]*')
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ELSEWHERE = {
    "cookie": "write cookies",
    "user-agent": "write user_agent",
    "accept-language": "write locale",
    "authorization": "write credentials; a secret does not belong in a file",
    "proxy-authorization": "write proxies; a secret does not belong in a file",
    "host": "remove it",
    "content-length": "remove it",
    "connection": "remove it",
    "transfer-encoding": "remove it",
}
_MOST = 50


class Viewport(Section):
    """The window that pages are laid out for, in CSS pixels. A smaller one needs less painting."""

    width: Whole = Field(default=320, ge=64, le=4096)
    height: Whole = Field(default=240, ge=64, le=4096)


class Geolocation(Section):
    """The visitor's location, in degrees and metres."""

    latitude: Number = Field(ge=-90, le=90)
    longitude: Number = Field(ge=-180, le=180)
    accuracy: Number = Field(default=0, ge=0)


class ClientCertificate(Section):
    """How the visitor identifies itself to one origin: by a certificate and its key, or by a PFX file with both."""

    origin: Annotated[str, Field(pattern=r"^https://[^/]+$")]
    cert_file: Path | None = None
    key_file: Path | None = None
    pfx_file: Path | None = None
    passphrase: SecretName | None = None
    """The name of the credentials that have its password."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.pfx_file is None) == (self.cert_file is None) or (self.cert_file is None) != (self.key_file is None):
            raise Mistake("names no whole certificate", "write cert_file and key_file, or pfx_file alone")
        return self


def _check_time_zone(value: str) -> str:
    known = _time_zones()
    if known and value not in known:
        near = get_close_matches(value, known, n=3)
        remedy = f"did you mean {', '.join(near)}?" if near else "write one such as Asia/Seoul"
        raise Mistake(f"{value[:40]!r} is not a time zone", remedy)
    return value


@cache
def _time_zones() -> tuple[str, ...]:
    """The names of all time zones; empty on a machine without that database."""
    return tuple(sorted(available_timezones()))


class Visitor(Section):
    """Whom the shop sees. What is not set is as in an ordinary browser."""

    device: str | None = None
    viewport: Viewport | None = None
    user_agent: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    locale: str | None = None
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] | None = None
    geolocation: Geolocation | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    cookies: dict[str, str] = Field(default_factory=dict)
    storage_state: Path | None = None
    credentials: SecretName | None = None
    client_certificates: tuple[ClientCertificate, ...] = ()
    session: Literal["keep", "clear"] = "keep"
    proxies: tuple[SecretName, ...] = ()

    @field_validator("device")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is not None:
            find_device(value)
        return value

    @field_validator("user_agent")
    @classmethod
    def _is_a_header(cls, value: str | None) -> str | None:
        if value is not None and not (value.isascii() and value.isprintable()):
            raise Mistake("has a character that no header can carry", "write it in one line of ASCII letters")
        return value

    @field_validator("locale")
    @classmethod
    def _is_a_locale(cls, value: str | None) -> str | None:
        if value is not None and not _LOCALE.fullmatch(value):
            raise Mistake(f"{value[:40]!r} is not a locale", "write a language and a country, such as ko-KR")
        return value

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, value: dict[str, str]) -> dict[str, str]:
        mistakes = []
        for name, text in value.items():
            if not _TOKEN.fullmatch(name):
                mistakes.append(Mistake("is not a header's name", "use letters, digits and -", name))
            elif (remedy := _ELSEWHERE.get(name.lower())) is not None:
                mistakes.append(Mistake("is not set as a header", remedy, name))
            elif not (text.isascii() and text.isprintable()):
                mistakes.append(Mistake("has a character that no header can carry", "write ASCII in one line", name))
        _refuse(mistakes, len(value))
        return value

    @field_validator("cookies")
    @classmethod
    def _are_cookies(cls, value: dict[str, str]) -> dict[str, str]:
        mistakes = []
        for name, text in value.items():
            if not _TOKEN.fullmatch(name):
                mistakes.append(Mistake("is not a cookie's name", "use letters, digits, - and _", name))
            elif not _COOKIE_VALUE.fullmatch(text):
                remedy = "write what cannot stand in a cookie as %20 and the like: spaces, commas, quotes, semicolons"
                mistakes.append(Mistake("has a character that no cookie can carry", remedy, name))
        _refuse(mistakes, len(value))
        return value

    @field_validator("proxies")
    @classmethod
    def _are_different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if twice := sorted({name for name in value if value.count(name) > 1}):
            raise Mistake(f"{', '.join(twice)} stands there twice", "write each proxy once")
        _refuse([], len(value))
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.client_certificates and self.proxies:
            remedy = "remove one of the two"
            raise Mistake("does not go with proxies", remedy, "client_certificates")
        return self

    @property
    def known_device(self) -> Device | None:
        """What is known of the visitor's device, if it has one."""
        return None if self.device is None else find_device(self.device)

    @property
    def agent(self) -> str | None:
        """The visitor's user agent; `None` for the browser's own."""
        device = self.known_device
        return self.user_agent or (None if device is None else device.user_agent)

    @property
    def window(self) -> Viewport:
        """The visitor's window, in CSS pixels."""
        device = self.known_device
        if self.viewport is not None or device is None:
            return self.viewport or Viewport()
        return Viewport(width=device.width, height=device.height)

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The names of all credentials that the visitor needs."""
        passphrases = (certificate.passphrase for certificate in self.client_certificates)
        return tuple(dict.fromkeys(name for name in (self.credentials, *passphrases) if name is not None))


def _refuse(mistakes: list[Mistake], count: int) -> None:
    if count > _MOST:
        mistakes.append(Mistake(f"has more than {_MOST} entries", f"write {_MOST} at most"))
    if mistakes:
        raise Mistakes(mistakes)
