"""The outcome of one attempt at a product. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pagemill.errors import BrowserLost, DeadlineExceeded, ItemError, PagemillError, ProxyFailed
from pagemill.model import Facts, Judgement, PageReading, Verdict
from pagemill.pacing.visit_answer import VisitAnswer, Welcome

_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """The judgement of one attempt, and what is known of its visit."""

    judgement: Judgement
    facts: Facts
    retryable: bool
    browser_lost: bool = False
    """The visit ended because the browser or proxy was lost, most likely through no fault of the product."""
    answer: VisitAnswer | None = None
    """How the shop took the visit; `None` if that is not known."""
    final_url: str = ""
    """Where the visit ended."""
    is_stranger: bool = True
    """Whether the shop had not seen this visitor before: the first visit of a context, or a request without a page,
    which keeps no cookies."""


def outcome_of_reading(
    reading: PageReading, judgement: Judgement, *, retry_after: str = "", is_stranger: bool
) -> AttemptOutcome:
    """The outcome of a visit that brought a reading. `retry_after` is that header of the page's own answer, if any."""
    status = reading.status if reading.refused is None else reading.refused
    answer = VisitAnswer(_welcome(judgement, reading), status, reading.retry_after or retry_after)
    return AttemptOutcome(
        judgement, reading.facts, retryable=True, answer=answer, final_url=reading.url, is_stranger=is_stranger
    )


def failure(
    reason: str, *, retryable: bool, browser_lost: bool = False, answer: VisitAnswer | None = None
) -> AttemptOutcome:
    """The outcome of a visit that brought no reading."""
    return AttemptOutcome(Judgement(Verdict.FAILED, reason), {}, retryable, browser_lost, answer)


def outcome_of_error(error: PagemillError) -> AttemptOutcome:
    """The outcome of a visit that ended with an error."""
    if isinstance(error, DeadlineExceeded):
        return failure(str(error), retryable=error.retryable, answer=VisitAnswer(Welcome.TROUBLE))
    is_spared = isinstance(error, BrowserLost) or (isinstance(error, ProxyFailed) and error.others)
    may_help = isinstance(error, ItemError) and error.retryable
    return failure(str(error), retryable=may_help, browser_lost=is_spared)


def as_trouble(outcome: AttemptOutcome) -> AttemptOutcome:
    """The outcome with which the pace slows down, because an earlier step of the attempt ran into its time-out."""
    if outcome.answer is None or outcome.answer.welcome is not Welcome.GOOD:
        return outcome
    return replace(outcome, answer=replace(outcome.answer, welcome=Welcome.TROUBLE))


def _welcome(judgement: Judgement, reading: PageReading) -> Welcome:
    if judgement.verdict is Verdict.BLOCKED:
        return Welcome.BLOCKED
    return Welcome.TROUBLE if (reading.status or 0) >= _SERVER_ERROR else Welcome.GOOD
