"""What comes next for a product: believed, tried again, or given up; and what of it counts for the breaker."""

from __future__ import annotations

import pytest

from pagemill.engine.attempt_outcome import AttemptOutcome, failure
from pagemill.engine.attempts import Attempts, PutBack
from pagemill.model import Judgement, Verdict
from pagemill.pacing.visit_answer import VisitAnswer, Welcome

NEXT = None
"""There is another attempt."""


def said(verdict: Verdict, *, stranger: bool = True, status: int = 200, reason: str = "") -> AttemptOutcome:
    """What a visit came to that has read something."""
    welcome = Welcome.BLOCKED if verdict is Verdict.BLOCKED else Welcome.GOOD
    answer = VisitAnswer(welcome, status)
    return AttemptOutcome(Judgement(verdict, reason), {}, retryable=True, answer=answer, is_stranger=stranger)


OK, GONE, BLOCKED, FAILED = (said(verdict) for verdict in (Verdict.OK, Verdict.GONE, Verdict.BLOCKED, Verdict.FAILED))
LOST = failure("closed", retryable=True, browser_lost=True)
REFUSED = failure("elsewhere", retryable=False)


@pytest.mark.parametrize(
    ("outcomes", "verdicts"),
    [
        ([OK], [Verdict.OK]),
        ([GONE], [Verdict.GONE]),
        ([BLOCKED, OK], [NEXT, Verdict.OK]),
        ([BLOCKED, BLOCKED, GONE], [NEXT, NEXT, Verdict.GONE]),
        ([BLOCKED, BLOCKED, BLOCKED], [NEXT, NEXT, Verdict.BLOCKED]),
        ([FAILED, BLOCKED, FAILED], [NEXT, NEXT, Verdict.FAILED]),
        ([REFUSED], [Verdict.FAILED]),
        ([BLOCKED, REFUSED], [NEXT, Verdict.FAILED]),
        ([LOST, LOST, LOST, BLOCKED, BLOCKED, OK], [NEXT] * 5 + [Verdict.OK]),
        ([LOST, LOST, LOST, LOST, FAILED, FAILED], [NEXT] * 5 + [Verdict.FAILED]),
    ],
)
def test_what_is_tried_again(outcomes: list[AttemptOutcome], verdicts: list[Verdict | None]) -> None:
    """A failure that may pass and a block, as often as there are attempts; browsers that went away cost none."""
    attempts = Attempts(3)
    judged = [attempts.judged(outcome) for outcome in outcomes]
    assert [judgement and judgement.verdict for judgement in judged] == verdicts
    assert attempts.made == len(outcomes)


@pytest.mark.parametrize(
    ("outcomes", "verdicts"),
    [
        ([GONE, GONE], [NEXT, Verdict.GONE]),
        ([GONE, OK, OK], [NEXT, NEXT, Verdict.OK]),
        ([GONE, BLOCKED, GONE], [NEXT, NEXT, Verdict.GONE]),
        ([BLOCKED, BLOCKED, GONE], [NEXT, NEXT, Verdict.FAILED]),
        ([GONE, OK, GONE], [NEXT, NEXT, Verdict.FAILED]),
    ],
)
def test_a_block_neither_confirms_nor_denies(outcomes: list[AttemptOutcome], verdicts: list[Verdict | None]) -> None:
    """What was said before it is still to be confirmed."""
    attempts = Attempts(3, ["gone"])
    judged = [attempts.judged(outcome) for outcome in outcomes]
    assert [judgement and judgement.verdict for judgement in judged] == verdicts


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([said(Verdict.BLOCKED, stranger=False), OK], [Welcome.CHALLENGED, Welcome.GOOD]),
        ([said(Verdict.BLOCKED, stranger=False), BLOCKED], [Welcome.CHALLENGED, Welcome.BLOCKED]),
        ([BLOCKED, BLOCKED, BLOCKED], [Welcome.BLOCKED, Welcome.CHALLENGED, Welcome.CHALLENGED]),
        ([FAILED, BLOCKED], [Welcome.GOOD, Welcome.BLOCKED]),
    ],
)
def test_a_block_counts_when_it_met_a_stranger_and_once_for_a_product(
    outcomes: list[AttemptOutcome], told: list[Welcome]
) -> None:
    """A session that the shop is tired of says nothing of the shop, nor does one closed page say it again and again."""
    attempts = Attempts(3)
    answers = []
    for outcome in outcomes:
        answers.append(attempts.answer(outcome))
        attempts.judged(outcome)
    assert [answer and answer.welcome for answer in answers] == told
    assert all(answer is not None and answer.status == 200 for answer in answers)


@pytest.mark.parametrize(
    ("outcome", "why"), [(OK, ""), (AttemptOutcome(Judgement(Verdict.SOLD_OUT), {}, retryable=True), "")]
)
def test_a_context_goes_on_after_a_good_visit(outcome: AttemptOutcome, why: str) -> None:
    """Whatever was found out about the product."""
    assert Attempts(3, ["gone"]).ends_context(outcome.judgement) == why


def test_a_context_ends_with_what_is_visited_again() -> None:
    """A block, a failure, and what a second visit has not said yet; the one that says the same ends nothing."""
    attempts = Attempts(3, ["gone"])
    assert attempts.ends_context(BLOCKED.judgement) == "blocked"
    assert attempts.ends_context(FAILED.judgement) == "failed"
    assert attempts.ends_context(GONE.judgement) == "unconfirmed"
    attempts.judged(GONE)
    assert attempts.ends_context(GONE.judgement) == ""
    assert attempts.ends_context(OK.judgement) == "unconfirmed"


def test_pauses_grow_with_the_attempts_that_count() -> None:
    """A browser that went away makes nobody wait for longer."""
    attempts = Attempts(3)
    pauses = []
    for outcome in (LOST, BLOCKED, FAILED):
        attempts.judged(outcome)
        pauses.append(attempts.pauses)
    assert pauses == [1, 1, 2]


def test_attempts_that_were_broken_off_are_given_back_once() -> None:
    """To the product of that run; those that have come to nothing are not kept, and of many only the latest are."""
    broken_off, attempts = PutBack(), Attempts(3)
    broken_off.keep("run", "p1", attempts)
    assert broken_off.take("run", "p1") is None
    attempts.judged(BLOCKED)
    broken_off.keep("run", "p1", attempts)
    assert broken_off.take("another", "p1") is None
    assert broken_off.take("run", "p1") is attempts
    assert broken_off.take("run", "p1") is None
    for number in range(1_001):
        broken_off.keep("run", f"p{number}", attempts)
    assert broken_off.take("run", "p0") is None
    assert broken_off.take("run", "p1") is attempts
