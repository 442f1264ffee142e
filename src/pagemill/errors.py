"""One tree of errors. Each knows whether a retry may help and which exit code a command ends with.

The message of an error names the cause and, where a person can do something, the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class PagemillError(Exception):
    """The root: everything that pagemill raises on purpose."""

    retryable: bool = False
    exit_code: int = 1


class UsageError(PagemillError):
    """A command was called in a way that cannot work."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one configuration or input file."""

    file: str
    line: int | None
    path: str
    """Dotted path of the key, such as `workflow.rate_limit.wait_time_ms`; empty for the whole file."""
    message: str
    remedy: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        key = f" {self.path}:" if self.path else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}:{key} {self.message}{remedy}"


class ConfigError(PagemillError):
    """The configuration has mistakes; all of them are listed."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ServiceUnavailable(PagemillError):
    """Redis, the database or the browser is out of reach."""

    retryable = True
    exit_code = 69


TAKES_NOTHING = "Redis takes nothing for now"
"""How the message begins of a Redis that answers and has no room."""


class RedisUnavailable(ServiceUnavailable):
    """Redis does not answer."""

    @classmethod
    def gone(cls, error: Exception) -> Self:
        """It answered before, and does not any more; or it answers, and this user may not do that."""
        if "no permissions" in str(error):  # what redis-py calls NoPermissionError: no module here may import it
            remedy = "`pagemill check` tells which rights its user lacks (ACL)"
            return cls(f"Redis refuses: {str(error).rstrip('.')}. {remedy}")
        if TAKES_NOTHING in str(error):
            return cls(str(error))
        return cls(f"Redis went away: {error}. Start it again, or correct PAGEMILL_REDIS_URL")


class DatabaseUnavailable(ServiceUnavailable):
    """The results database does not answer."""


class BrowserUnavailable(ServiceUnavailable):
    """No Chromium was found, or it does not start."""


class WorkerWornOut(PagemillError):
    """The worker has drained and wants a fresh process: memory did not come back, or its event loop stands still."""

    retryable = True
    exit_code = 75


class RunStranded(PagemillError):
    """A run that is waited for cannot end: no worker takes its batches, and its platform is not configured any more."""

    exit_code = 78


class RunIncomplete(PagemillError):
    """A run that was waited for has ended, and is not whole: its enqueueing broke off."""


class DeadlineExceeded(PagemillError):
    """A call to a browser, a network or a disk took longer than it may."""

    retryable = True

    def __init__(self, what: str, seconds: float) -> None:
        self.what = what
        self.seconds = seconds
        super().__init__(f"timeout: {what} took longer than {seconds:g} s")


class ItemError(PagemillError):
    """One visit of one product went wrong; `retryable` says whether another attempt makes sense."""


class VisitFailed(ItemError):
    """The page could not be loaded or read."""

    retryable = True


class StepFailed(VisitFailed):
    """A step before reading could not be done; `before` tells what came of those in front of it."""

    def __init__(self, message: str, before: Sequence[str] = ()) -> None:
        self.before = tuple(before)
        super().__init__(message)


class PageLost(ItemError):
    """The page went away under the visit."""

    retryable = True


class BrowserLost(PageLost):
    """The page's browser or driver went away under the visit, whoever's fault that was."""


class PatternTooSlow(ItemError):
    """A regular expression of the configuration could not be searched for in time."""

    retryable = True
    """A loaded machine may have been the reason."""

    def __init__(self, expression: str, seconds: float, field: str = "") -> None:
        self.expression = expression
        self.seconds = seconds
        shown = expression if len(expression) <= 80 else f"{expression[:79]}…"
        where = f"{field}: " if field else ""
        super().__init__(f"{where}the regular expression '{shown}' took longer than {seconds:g} s: write a simpler one")

    def of_field(self, name: str) -> Self:
        """The same, told of a field."""
        return type(self)(self.expression, self.seconds, name)


class ProxyFailed(ItemError):
    """The proxy failed and not the shop: another one may bring the product at once, where `others` says so."""

    retryable = True

    def __init__(self, message: str, *, others: bool) -> None:
        self.others = others
        super().__init__(message)


class FullVisitNeeded(ItemError):
    """A short cut left the question open: the product's page itself must be visited, which counts as no attempt."""

    retryable = True


class VisitGoesOn(ItemError):
    """The visit has another step to go, at a turn of its own; it counts as the same attempt.

    `so_far` is what the strategy has found out, for its next call. `light` says that no document was loaded. `failure`
    is what went wrong with the page, which must not be used again then.
    """

    retryable = True

    def __init__(
        self, reason: str, so_far: object, *, light: bool, failure: ItemError | DeadlineExceeded | None = None
    ) -> None:
        self.so_far = so_far
        self.light = light
        self.failure = failure
        super().__init__(reason)


class TurnDenied(PagemillError):
    """No visit may take place for now: lanes must stop, or the platform is left alone for long. No fault of anybody."""

    retryable = True


class VisitRefused(ItemError):
    """The page led to a place that the platform does not list, or offered a download."""


class BatchInterrupted(PagemillError):
    """The batch was stopped from outside before all of its items were judged."""

    retryable = True
