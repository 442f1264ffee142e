"""Chooses the proxy of each new context: each in turn, and one that fails rests for a while. It opens nothing.

Proxies are named, and their addresses never shown. All platforms of a worker share what is known of a proxy; each
platform takes its own proxies in turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pagemill.config.visitor.secrets import Proxy, ProxyAddress
from pagemill.config.visitor.visitor import Visitor
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

REST_S = 30.0
REST_MAX_S = 900.0


@dataclass(frozen=True, slots=True)
class ProxyState:
    """The state of one proxy at one moment, for others to show."""

    name: str
    taken: int = 0
    """How many contexts were opened with it."""
    failures: int = 0
    """How often it has failed since the worker started."""
    resting_s: float = 0.0
    """For how many seconds it will not be taken; 0 while it serves."""
    reason: str = ""
    """Why it rests."""


@dataclass(slots=True)
class _Account:
    taken: int = 0
    failures: int = 0
    in_a_row: int = 0
    until_s: float = 0.0
    reason: str = ""


class Proxies:
    """The proxies of one worker. May be used from any thread."""

    def __init__(
        self, addresses: Mapping[str, ProxyAddress] | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._addresses = dict(addresses or {})
        self._now_s = now_s
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._turns: dict[tuple[str, ...], int] = {}

    def take(self, visitor: Visitor) -> Proxy | None:
        """The next of a visitor's proxies that does not rest; `None` where it has none.

        If all of them rest, the next one is returned all the same: it may work again, or its failure gives the reason.
        """
        names = visitor.proxies
        if not names:
            return None
        with self._lock:
            now_s = self._now_s()
            turn = self._turns.get(names, 0)
            in_turn = [*names[turn:], *names[:turn]]
            accounts = {name: self._accounts.setdefault(name, _Account()) for name in in_turn}
            awake = [name for name in in_turn if accounts[name].until_s <= now_s]
            name = awake[0] if awake else in_turn[0]
            self._turns[names] = (names.index(name) + 1) % len(names)
            accounts[name].taken += 1
            return Proxy(name, self._addresses[name])

    def failed(self, name: str, reason: str) -> None:
        """Lets a proxy rest, twice as long after each failure in a row. A failure while it rests does not count."""
        with self._lock:
            account, now_s = self._accounts.setdefault(name, _Account()), self._now_s()
            if account.until_s > now_s:
                return
            account.failures += 1
            account.in_a_row += 1
            account.reason = reason
            rest_s = min(REST_MAX_S, REST_S * 2.0 ** min(account.in_a_row - 1, 10))
            account.until_s = now_s + rest_s
        log.warning(events.PROXY_RESTS, proxy=name, reason=reason, rest_s=round(rest_s))

    def worked(self, name: str) -> None:
        """Notes that something came through a proxy: ends its rest and forgets its failures in a row."""
        with self._lock:
            account = self._accounts.get(name)
            if account is None or not account.in_a_row:
                return
            account.in_a_row, account.until_s, account.reason = 0, 0.0, ""
        log.info(events.PROXY_WORKS, proxy=name)

    def rests(self, name: str) -> bool:
        """Whether the proxy should not be used now."""
        with self._lock:
            account = self._accounts.get(name)
            return account is not None and account.until_s > self._now_s()

    def any_awake(self, names: Sequence[str]) -> bool:
        """Whether at least one of them does not rest."""
        return any(not self.rests(name) for name in names)

    def trouble(self, names: Sequence[str]) -> str:
        """Why each resting proxy of these rests, in words for people."""
        with self._lock:
            accounts = {name: self._accounts.get(name) or _Account() for name in names}
        return ", ".join(f"{name} ({account.reason})" for name, account in accounts.items() if account.reason)

    def states(self) -> tuple[ProxyState, ...]:
        """The states of all proxies that were ever taken, by name."""
        with self._lock:
            now_s = self._now_s()
            return tuple(
                ProxyState(
                    name,
                    account.taken,
                    account.failures,
                    round(max(0.0, account.until_s - now_s), 1),
                    account.reason if account.until_s > now_s else "",
                )
                for name, account in sorted(self._accounts.items())
            )
