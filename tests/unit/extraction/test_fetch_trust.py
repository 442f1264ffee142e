"""Trust in a shop's answers is earned by samples, lost by one, and never taken for granted."""

from __future__ import annotations

from collections import Counter

from pagemill.extraction.fetch_trust import FetchPlan, FetchTrust


def trusted(sample_every: int = 10) -> FetchTrust:
    """Trust after three samples that agreed."""
    trust = FetchTrust(sample_every)
    assert [trust.compared(same=True) for _ in range(3)] == [False, False, True]
    return trust


def test_at_first_every_product_is_a_sample() -> None:
    """Nobody knows yet whether the answers say what the pages say."""
    trust = FetchTrust(10)
    assert [trust.plan() for _ in range(5)] == [FetchPlan.SAMPLE] * 5
    assert not trust.trusted


def test_a_trusted_shop_is_sampled_now_and_then() -> None:
    """One of ten, and no more."""
    trust = trusted(10)
    assert Counter(trust.plan() for _ in range(100)) == {FetchPlan.FETCH: 90, FetchPlan.SAMPLE: 10}


def test_one_sample_that_differs_ends_it() -> None:
    """From then on pages are visited, with a rare sample."""
    trust = trusted(10)
    assert trust.compared(same=False)
    assert Counter(trust.plan() for _ in range(100)) == {FetchPlan.FULL: 90, FetchPlan.SAMPLE: 10}
    assert not trust.compared(same=False)


def test_it_is_earned_again_by_samples_in_a_row() -> None:
    """Two that agree and one that does not are not three."""
    trust = trusted()
    trust.compared(same=False)
    for same in (True, True, False, True, True):
        assert not trust.compared(same=same)
    assert trust.compared(same=True)
    assert trust.trusted


def test_answers_that_leave_the_question_open_too_often_end_it() -> None:
    """Each of them costs a request for nothing; a few are no matter."""
    trust = trusted()
    assert not any(trust.asked(left_open=number % 3 == 0) for number in range(100))
    outcomes = [trust.asked(left_open=True) for _ in range(20)]
    assert outcomes.count(True) == 1
    assert not trust.trusted


def test_what_was_asked_before_trust_changes_nothing() -> None:
    """Answers that were under way when it was lost."""
    trust = FetchTrust(10)
    assert not any(trust.asked(left_open=True) for _ in range(50))
