"""Where alerts go: the model of a channel in `config/alerts.yaml`, and the form of its address.

An address is a secret: it is only in the environment, and no message repeats it. `alerting.delivery` does the
delivering.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Section
from pagemill.config.web_address import read_web_address

ChannelKind = Literal["webhook", "slack", "email", "apprise"]

ALWAYS_THERE = ("log", "live")
"""Channels that need no address: the log, and the dashboard's and other clients' live connections."""

ADDRESS_PREFIX = "PAGEMILL_ALERT_URL_"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_ADDRESS_KEYS = ("url", "address", "webhook", "webhook_url", "recipients", "to")
_SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
_HINTS = {
    "webhook": "write https://user:password@host/path; user and password are optional",
    "slack": "write https://hooks.slack.com/services/..., as Slack shows it",
    "email": "write mailtos://user:password@smtp-host:587?from=me@example.com&to=you@example.com",
    "apprise": "write any address that apprise knows, such as tgram://...",
}


def address_key(channel: str) -> str:
    """The end of the name of the environment variable with the channel's address."""
    return channel.upper().replace("-", "_")


def _check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a channel's name", "use up to 41 small letters, digits, - and _")
    if value in ALWAYS_THERE:
        raise Mistake(f"{value} is always there", "remove it here; rules may name it")
    if address_key(value).endswith("_FILE"):
        raise Mistake(f"{value!r} ends like a variable that names a file", "give the channel another name")
    return value


ChannelName = Annotated[str, AfterValidator(_check_name)]


class AlertChannel(Section):
    """One way for alerts, besides the log and the live connections."""

    kind: ChannelKind

    @model_validator(mode="before")
    @classmethod
    def _addresses_stay_out(cls, value: Any) -> Any:
        for key in _ADDRESS_KEYS if isinstance(value, dict) else ():
            if key in value:
                remedy = f"set {ADDRESS_PREFIX}<NAME OF THE CHANNEL> in the environment, and remove it here"
                raise Mistake("an address does not belong in a file", remedy, key)
        return value

    def check_address(self, url: str) -> None:
        """Checks the form of an address, without trying whether it works.

        Raises:
            Mistake: it is no address for this kind of channel.
        """
        if self.kind == "webhook" or (self.kind == "slack" and not url.lower().startswith("slack:")):
            self._check_web_address(url)
            return
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - reading it checks it
        except ValueError:
            # `from None`: urllib's message quotes the address. What only apprise can read need not be a URL to urllib.
            if self.kind == "apprise" and "://" in url:
                return
            raise Mistake("the address cannot be read: its host or port is wrong", _HINTS[self.kind]) from None
        fits = {
            "slack": True,
            "email": parts.scheme in ("mailto", "mailtos", "smtp", "smtps") and bool(parts.netloc),
            "apprise": bool(parts.scheme) and "://" in url,
        }
        if not fits[self.kind]:
            raise Mistake(f"is not the address of a channel of kind {self.kind}", _HINTS[self.kind])

    def _check_web_address(self, url: str) -> None:
        told = f"is not the address of a channel of kind {self.kind}"
        try:
            place = read_web_address(url, may_sign_in=True)
        except Mistake as mistake:
            raise Mistake(f"{told}: {mistake.message}", _HINTS[self.kind]) from None
        if self.kind == "slack" and not (url.lower().startswith("https:") and place.host in _SLACK_HOSTS):
            raise Mistake(told, _HINTS[self.kind])


def unknown_channel(name: str, channels: Iterable[str]) -> Mistake:
    """The mistake of a rule that names an unknown channel."""
    known = [*ALWAYS_THERE, *channels]
    near = get_close_matches(name, known, n=1)
    remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(known)}; others go under channels:"
    return Mistake(f"there is no channel {name!r}", remedy)
