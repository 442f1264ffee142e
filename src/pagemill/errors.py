"""One tree of all errors that pagemill raises on purpose, except those that are private to a module.

An error's message names the cause and, where a person can act, the remedy. An error class with a single cause may be
raised without a message: its docstring is the message then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class PagemillError(Exception):
    """The root: everything that pagemill raises on purpose."""

    exit_code: int = 1
    """The exit code of a command that ends with this error."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()).removesuffix("."))


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

    exit_code = 69


TAKES_NOTHING = "Redis takes nothing for now"
"""The beginning of the message when Redis answers but cannot store anything."""


class RedisUnavailable(ServiceUnavailable):
    """Redis does not answer."""

    @classmethod
    def gone(cls, error: Exception) -> Self:
        """The error for a Redis that answered before: it no longer does, or it refuses the command to this user."""
        if "no permissions" in str(error):  # redis-py's NoPermissionError; this module must not import redis
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

    exit_code = 75


class RunStranded(PagemillError):
    """A run that is waited for cannot end: no worker takes its batches, and its platform is not configured any more."""

    exit_code = 78


class RunIncomplete(PagemillError):
    """A run that was waited for has ended, and is not whole: its enqueueing broke off."""


class DeadlineExceeded(PagemillError):
    """A call to a browser, a network or a disk took longer than it may."""

    retryable = True
    """Whether another attempt makes sense."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what = what
        self.seconds = seconds
        super().__init__(f"timeout: {what} took longer than {seconds:g} s")


class ItemError(PagemillError):
    """One visit of one product went wrong."""

    retryable = False
    """Whether another attempt makes sense."""


class VisitFailed(ItemError):
    """The page could not be loaded or read."""

    retryable = True


class StepFailed(VisitFailed):
    """A step before reading could not be done; `before` has the reports of the steps before it."""

    def __init__(self, message: str, before: Sequence[str] = ()) -> None:
        self.before = tuple(before)
        super().__init__(message)


class PageLost(ItemError):
    """The page was lost during the visit."""

    retryable = True


class BrowserLost(PageLost):
    """The page's browser or driver was lost during the visit, whatever caused that."""


class PatternTooSlow(ItemError):
    """A regular expression of the configuration took too long."""

    retryable = True
    """Another attempt makes sense, because the machine may have been busy."""

    def __init__(self, expression: str, seconds: float, field: str = "") -> None:
        self.expression = expression
        self.seconds = seconds
        shown = expression if len(expression) <= 80 else f"{expression[:79]}…"
        where = f"{field}: " if field else ""
        super().__init__(f"{where}the regular expression '{shown}' took longer than {seconds:g} s: write a simpler one")

    def of_field(self, name: str) -> Self:
        """The same error with a field's name in its message."""
        return type(self)(self.expression, self.seconds, name)


class ProxyFailed(ItemError):
    """The proxy failed, not the shop. `others` says that another proxy may fetch the product at once."""

    retryable = True

    def __init__(self, message: str, *, others: bool) -> None:
        self.others = others
        super().__init__(message)


class FullVisitNeeded(ItemError):
    """A short cut was not enough: the product's page must be visited, which does not count as an attempt."""

    retryable = True


class VisitGoesOn(ItemError):
    """The visit needs a further step, which waits for its own turn and counts as the same attempt.

    `so_far` is what the strategy has found, for its next call. `light` means that no document was loaded. `failure` is
    what went wrong with the page; if set, the page must not be used again.
    """

    def __init__(
        self, reason: str, so_far: object, *, light: bool, failure: ItemError | DeadlineExceeded | None = None
    ) -> None:
        self.so_far = so_far
        self.light = light
        self.failure = failure
        super().__init__(reason)


class TurnDenied(PagemillError):
    """No visit may be made for now, because lanes must stop or the platform is paused for long. This is no failure."""


class VisitRefused(ItemError):
    """The page led to a place that the platform does not list, or offered a download."""


class BatchInterrupted(PagemillError):
    """The batch was stopped from outside before all its items were judged."""


class BatchUnreadable(PagemillError):
    """The arguments of a job are not those of a batch: another version or another program put it on the queue."""


class EnqueuedElsewhere(PagemillError):
    """Another process continues this run."""


class LeadLost(PagemillError):
    """another scheduler leads now"""


class ResultRefused(PagemillError):
    """The database answered, and refused a row for its content; the same row will be refused again."""


class BrokenJsonLd(PagemillError):
    """A JSON-LD script that cannot be read. The message says where, and what is wrong there."""


class BrokenScript(PagemillError):
    """No data in a script can be read. The message says why."""


class TooManyValues(PagemillError, ValueError):
    """JSON with so many values that they would take many times its text's memory, and minutes to search."""


class UnreadableBody(PagemillError):
    """The body of an answer is too long, or has another compression than was requested. The message says which."""


class Unfit(PagemillError, ValueError):
    """A column of the catalogue cannot hold the value; the message says why, and the remedy."""


class NotOneRow(PagemillError):
    """A key that should identify one row identifies several, or none any more."""


class TooManyAtOnce(PagemillError):
    """other runs are being put on the queue just now: try again in some seconds"""


class KeyTaken(PagemillError):
    """The request's idempotency key belongs to another request."""


class DraftUnderWay(PagemillError):
    """another file is being drafted just now: try again in a minute"""


class TrialUnderWay(PagemillError):
    """another product is being tried just now: try again in some seconds"""


class TokenRefused(PagemillError):
    """The token gives no access; `code` is a word for programs."""

    code = "token_refused"


class TokenMissing(TokenRefused):
    """a token is needed: send `Authorization: Bearer ...`, or log in; make a new one with `pagemill token`"""

    code = "token_missing"


class TokenInvalid(TokenRefused):
    """This API did not make the token: malformed, another signature, a missing claim, or another audience."""

    code = "token_invalid"


class TokenExpired(TokenRefused):
    """the token has expired: make a new one with `pagemill token`"""

    code = "token_expired"


class TokenRevoked(TokenRefused):
    """the token was revoked: make a new one with `pagemill token`"""

    code = "token_revoked"


class RoleUnknown(TokenRefused):
    """the token's role is not one of planner, admin: make a new one with `pagemill token`"""

    code = "role_unknown"


class AccessRefused(PagemillError):
    """This request is refused, with or without a valid token; `code` is a word for programs."""

    status = 403
    code = "forbidden"


class NotAllowed(AccessRefused):
    """the role planner may read only: use a token made with --role admin"""


class RequestForged(AccessRefused):
    """Another site made a browser send the request, or nothing proves that it did not."""

    code = "forged"


class NotDirect(AccessRefused):
    """without a secret the API answers to the user that runs it only, and to no proxy: set PAGEMILL_API_SECRET and show
    a token"""

    code = "not_direct"


class HostUnknown(AccessRefused):
    """without a secret the API answers to localhost only: ask for it by that name"""

    status = 421
    code = "misdirected"
