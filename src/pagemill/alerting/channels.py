"""Sends one alert over one channel, once, with apprise. The only module that imports apprise.

Addresses are secrets. So the log lines of apprise and of its HTTP libraries are kept out of our log, and any part of
the address is cut out of a reason. `delivery` decides whether and when to try again.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType, OverflowMode, PersistentStoreMode

from pagemill.alerting.alert import Alert
from pagemill.config.alert_channels import ADDRESS_PREFIX, ChannelKind, address_key
from pagemill.errors import UsageError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("alerts")

_CONNECT_S = 5.0
_READ_S = 10.0
_LOOK_S = 0.2
_MOST_HANGING = 3
"""Tries that have timed out and still run. Without a limit, servers that never end an answer would pile up threads."""
_SHORTEST_SECRET = 4
_LONGEST_REASON = 300
_LONGEST_TITLE = 200
_LONGEST_BODY = 10_000
_TYPES = {"info": NotifyType.INFO, "warning": NotifyType.WARNING}


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The result of one try."""

    delivered: bool
    reason: str = ""
    """Why it failed, without any part of the address."""


class AlertChannelSender:
    """One channel. To be used by one thread."""

    def __init__(self, name: str, kind: ChannelKind, url: str, timeout_s: float = 20.0) -> None:
        """Checks the form of the address; nothing is sent yet.

        Args:
            name: the channel's, as the configuration calls it.
            kind: which service the address belongs to.
            url: the address.
            timeout_s: the limit for one try.

        Raises:
            UsageError: apprise does not understand the address.
        """
        _silence_libraries()
        self._name = name
        self._kind = kind
        self._url = url
        self._timeout_s = timeout_s
        self._secrets = _secrets_of(url)
        self._hanging: list[threading.Thread] = []
        with warnings.catch_warnings():
            # Its first use loads all its services, and one of them imports a module that Python has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            is_known = self._service() is not None
        if not is_known:
            variable = ADDRESS_PREFIX + address_key(name)
            raise UsageError(f"apprise does not understand the address in {variable}: write it as apprise wants it")

    def send(self, alert: Alert, stop: threading.Event) -> SendOutcome | None:
        """Tries once. Returns after `timeout_s` at the latest, or soon after `stop` is set.

        A server may send its answer so slowly that no socket time-out strikes. So the try runs on a daemon thread,
        which is abandoned when it takes too long. If the abandoned try succeeds after a second try was made, the alert
        arrives twice.

        Returns:
            The outcome, or `None` if `stop` was set first.
        """
        self._hanging = [thread for thread in self._hanging if thread.is_alive()]
        if len(self._hanging) >= _MOST_HANGING:
            return SendOutcome(False, f"timeout: {len(self._hanging)} earlier tries have not ended yet")
        outcomes: list[SendOutcome] = []
        done = threading.Event()

        def try_it() -> None:
            try:
                outcomes.append(self._tell(alert))
            except Exception as error:  # noqa: BLE001 - logged without its traceback, which may show the address
                log.error(events.UNEXPECTED, where="telling an alert", channel=self._name, error=type(error).__name__)
                outcomes.append(SendOutcome(False, self._cut(f"{type(error).__name__}: {error}")))
            finally:
                done.set()

        thread = threading.Thread(target=try_it, name=f"alert-try-{self._name}", daemon=True)
        thread.start()
        deadline_s = time.monotonic() + self._timeout_s
        while not done.wait(_LOOK_S):
            if time.monotonic() >= deadline_s:
                self._hanging.append(thread)
                return SendOutcome(False, f"timeout: telling it took longer than {self._timeout_s:g} s")
            if stop.is_set():
                return None
        return outcomes[0]

    def _tell(self, alert: Alert) -> SendOutcome:
        service = self._service(alert)
        if service is None:
            return SendOutcome(False, "apprise does not understand the address")
        if service.overflow_mode == OverflowMode.UPSTREAM:
            # Otherwise a service with a length limit would refuse a long message at every try.
            service.overflow_mode = OverflowMode.TRUNCATE
        service.socket_connect_timeout, service.socket_read_timeout = _CONNECT_S, _READ_S
        title, body = worded(alert)
        kind = _TYPES.get(alert.level, NotifyType.FAILURE)
        apprise = Apprise()
        apprise.add(service)
        result = apprise.notify(body, title=title, notify_type=kind, body_format=NotifyFormat.TEXT)
        if result:
            return SendOutcome(True)
        said = [entry.message for entry in result.logs()]
        return SendOutcome(False, self._cut("; ".join(said) or "apprise says no more"))

    def _service(self, alert: Alert | None = None) -> NotifyBase | None:
        """apprise's object for the address; `None` if apprise knows no such service."""
        # `service_timeout=0` keeps apprise on the calling thread; with a time-out it starts pool threads that Python
        # joins at exit, however long they take. No redirects: a redirected POST becomes a GET without the message.
        asset = AppriseAsset(
            app_id="pagemill",
            app_desc="pagemill",
            async_mode=False,
            service_timeout=0,
            http_redirects=False,
            storage_mode=PersistentStoreMode.MEMORY,
        )
        if self._kind == "webhook":
            return Apprise.instantiate(_webhook(self._url, alert), asset=asset)
        scheme, rest = self._url.split(":", 1)
        scheme = {"smtp": "mailto", "smtps": "mailtos"}.get(scheme.lower(), scheme)
        return Apprise.instantiate(f"{scheme}:{rest}", asset=asset)

    def _cut(self, text: str) -> str:
        for secret in self._secrets:
            text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
        return text[:_LONGEST_REASON]


def worded(alert: Alert) -> tuple[str, str]:
    """The title and text of a message to people."""
    known = {"worker": alert.worker, "scope": alert.scope, **alert.facts, "at": alert.at.isoformat(timespec="seconds")}
    facts = [f"{name}: {value}" for name, value in known.items() if value != ""]
    details = [*alert.details, ""] if alert.details else []
    title = f"[{alert.level}] pagemill: {alert.title or alert.name}"
    return title[:_LONGEST_TITLE], "\n".join([alert.message, "", *details, *facts])[:_LONGEST_BODY]


def _webhook(url: str, alert: Alert | None) -> dict[str, Any]:
    """The arguments of apprise's JSON service, one by one: in a URL, apprise would take some parameters for its own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = {} if alert is None else {"id": alert.id, "alert": alert.name, "level": alert.level, "kind": alert.kind}
    placed = {} if alert is None else {"worker": alert.worker, "scope": alert.scope, "at": alert.at.isoformat()}
    return {
        "schema": "jsons" if parts.scheme == "https" else "json",
        "secure": parts.scheme == "https",
        "host": f"[{host}]" if ":" in host else host,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "fullpath": parts.path,
        "params": dict(parse_qsl(parts.query, keep_blank_values=True)),
        "payload": {**named, **placed, **({} if alert is None else {"facts": dict(alert.facts)})},
    }


def _secrets_of(url: str) -> list[str]:
    """Every part of an address but the scheme, the longest first: a log must not show any of them.

    The host is one of them, because many services put the token there.
    """
    rest = url.partition(":")[2]
    pieces = {piece for text in (rest, unquote(rest)) for piece in re.split(r"[/:@?&=#,\s]+", text)}
    return sorted((piece for piece in pieces if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)


def _silence_libraries() -> None:
    """Keeps the lines of apprise and of its HTTP library out of our log, because they contain addresses."""
    apprise = logging.getLogger("apprise")
    apprise.propagate = False
    apprise.setLevel(logging.WARNING)
    if not apprise.handlers:
        apprise.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
