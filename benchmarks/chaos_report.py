"""A chaos run in Markdown: a table of kinds, the account, and everything that did not heal. Computes no verdict."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.chaos_account import Account
from benchmarks.chaos_faults import KINDS
from benchmarks.chaos_ground import SHOP_FAULTS, Shape
from benchmarks.chaos_run import RECOVERY_LIMIT_S, Injection
from benchmarks.chaos_speed import FULL, WINDOW_S

_ALL = "all"
_EVENTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to tell."""

    command: str
    shape: Shape
    injections: Sequence[Injection]
    skipped: Sequence[str]
    """Kinds that were left out, with the reason."""
    account: Account
    judged: int
    """Items in the log; those that are more than the results were done again."""
    restarts: int
    seconds: float

    @property
    def unhealed(self) -> list[Injection]:
        """Faults that were not over at the limit."""
        return [injection for injection in self.injections if injection.took_s is None]

    @property
    def is_good(self) -> bool:
        """Whether everything healed by itself and the account is clean."""
        return self.account.is_clean and not self.unhealed and not self.restarts

    def markdown(self) -> str:
        """The whole text."""
        return "\n".join([*self._head(), *self._table(), *self._account(), *self._unhealed()]) + "\n"

    def _head(self) -> Iterable[str]:
        shape = self.shape
        settings = ", ".join(f"`{name}: {value:g}`" for name, value in (shape.queue | shape.guard).items())
        yield from (
            "# Chaos",
            "",
            f"One long run with {len(self.injections)} faults at random moments, written by `{self.command}`. It took "
            f"{self.seconds / 60:.0f} minutes on {os.cpu_count()} CPUs, which also ran the practice shop.",
            "",
            f"`pagemill worker --processes {shape.processes}`, {shape.lanes} lanes in each, "
            f"`wait_time_ms: {shape.wait_time_ms}`, batches of {shape.batch_size}. "
            f"Settings are the defaults; those named in the configuration are {settings}. Every "
            f"{shape.shop_fault_every}th product has a fault of the shop's own ({', '.join(SHOP_FAULTS)}).",
            "",
            f"A fault is over when the items of the last {WINDOW_S:g} s are at least {FULL:.0%} of the median before, "
            "every worker process is there with a browser, and a process that was stopped is gone: this tool never "
            "continues one. 0 s: it was never below that. What lasts for a while, such as a full disk, counts from its "
            f"end. After {RECOVERY_LIMIT_S:g} s a fault counts as not healed.",
            "",
        )

    def _table(self) -> Iterable[str]:
        yield "| fault | what is done | times | healed | p50 s | p95 s | max s | lowest speed | events in the log |"
        yield "|---|---|---:|---:|---:|---:|---:|---:|---|"
        for name, what in [*((kind.name, kind.what) for kind in KINDS), (_ALL, "any of these")]:
            mine = [injection for injection in self.injections if name in (injection.kind, _ALL)]
            if not mine:
                continue
            took = sorted(injection.took_s for injection in mine if injection.took_s is not None)
            times = " | ".join(f"{value:.1f}" if value is not None else "" for value in _quantiles(took))
            lowest = _middle([100 * each.lowest / each.before for each in mine if each.before])
            seen: Counter[str] = sum((Counter(injection.events) for injection in mine), Counter())
            notes = ", ".join(f"{event} {number}" for event, number in seen.most_common(_EVENTS_SHOWN))
            counts = f"{len(mine)} | {len(took)} | {times} | {lowest:.0f} %"
            yield f"| {name} | {what} | {counts} | {'' if name == _ALL else notes} |"
        yield ""
        speeds = sorted(injection.before for injection in self.injections) or [0.0]
        yield "Lowest speed is the median over the faults of a kind, in percent of the speed before each, which was"
        yield f"{speeds[0]:.0f} to {speeds[-1]:.0f} items per second."
        yield ""
        for reason in self.skipped:
            yield f"- left out: {reason}"
        if self.skipped:
            yield ""

    def _account(self) -> Iterable[str]:
        account = self.account
        yield "## The account"
        yield ""
        yield f"{account.products} products, {account.results} results; the rest took {account.finish_s:.0f} s."
        yield ""
        yield f"- lost: {account.lost}"
        yield f"- doubled: {account.doubled}"
        yield f"- with a verdict that says something untrue: {account.false}"
        yield f"- `failed` although the shop served them well: {sum(account.failed.values())}"
        yield from (f"  - {number} × {reason}" for reason, number in account.failed.items())
        yield f"- left over (processes, zombies, leases, batches, folders): {len(account.left)}"
        yield from (f"  - {what}" for what in account.left)
        yield f"- judged again, because a result did not reach the database: {max(0, self.judged - account.results)}"
        yield f"- ends of the whole worker, supervisor included, that took a start from outside: {self.restarts}"
        yield ""

    def _unhealed(self) -> Iterable[str]:
        if not self.unhealed:
            return
        yield "## Not healed"
        yield ""
        for each in self.unhealed:
            events = ", ".join(f"{event} {number}" for event, number in each.events.items())
            seen = events or "nothing in the log"
            yield f"- {each.kind} ({each.detail}) at {each.at_s:.0f} s: {each.unhealed}; {seen}"
        yield ""


def _quantiles(ordered: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Median, 95th percentile (nearest rank) and maximum."""
    if not ordered:
        return None, None, None
    return ordered[math.ceil(0.5 * len(ordered)) - 1], ordered[math.ceil(0.95 * len(ordered)) - 1], ordered[-1]


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
