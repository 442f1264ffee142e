"""A batch as the arguments of a job, and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.errors import BatchUnreadable, PagemillError
from pagemill.intake.batch_job import from_arguments, job_id, queue_name, to_arguments
from pagemill.model import Batch, Product

FACTS = st.dictionaries(
    st.text(min_size=1),
    st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    max_size=4,
)
PRODUCTS = st.builds(Product, st.text(min_size=1), st.text(min_size=1), FACTS)
BATCHES = st.builds(
    Batch,
    st.text(min_size=1),
    st.text(min_size=1),
    st.text(min_size=1),
    st.lists(PRODUCTS, min_size=1, max_size=5).map(tuple),
)


@given(batch=BATCHES)
def test_a_batch_survives_json(batch: Batch) -> None:
    """Every value comes back as it was."""
    arguments = json.loads(json.dumps(to_arguments(batch)))
    assert from_arguments(*arguments) == batch


def test_the_payload_repeats_no_names() -> None:
    """A product without expectations is two strings."""
    batch = Batch("r", "b00001", "shop", (Product("A", "https://a"), Product("B", "https://b", {"price": 1})))
    assert to_arguments(batch) == ("r", "b00001", "shop", [["A", "https://a"], ["B", "https://b", {"price": 1}]])


GOOD = ["A", "https://a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, "b", "p", [GOOD]), "run is None"),
        (("r", "", "p", [GOOD]), "batch is ''"),
        (("r", "b", 5, [GOOD]), "platform is 5"),
        (("r", "b", "p", []), "products are"),
        (("r", "b", "p", {"A": "https://a"}), "products are"),
        (("r", "b", "p", ["A"]), "a product of the job is 'A'"),
        (("r", "b", "p", [["A"]]), "not .id, url, expected."),
        (("r", "b", "p", [[*GOOD, {}, 1]]), "not .id, url, expected."),
        (("r", "b", "p", [[5, "https://a"]]), "id 5"),
        (("r", "b", "p", [["A", None]]), "url None"),
        (("r", "b", "p", [[*GOOD, None]]), "expects None"),
        (("r", "b", "p", [[*GOOD, {"price": [1]}]]), "expects"),
        (("r", "b", "p", [[*GOOD, {"price": float("nan")}]]), "expects"),
    ],
)
def test_arguments_of_something_else_are_refused(arguments: tuple[object, ...], message: str) -> None:
    """The error says what is wrong, and that trying again does not help."""
    with pytest.raises(BatchUnreadable, match=message) as raised:
        from_arguments(*arguments)

    assert isinstance(raised.value, PagemillError)
    assert len(str(raised.value)) < 400


def test_names_are_those_that_operators_look_for() -> None:
    """The queue carries the platform's name, the job those of run and batch."""
    assert queue_name("musinsa") == "pagemill:musinsa"
    assert job_id("20261121-010203-musinsa-ab12", "b00007") == "20261121-010203-musinsa-ab12_b00007"
