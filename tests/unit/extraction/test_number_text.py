"""Numbers are read as people write them, whatever their country."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.number_text import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12,900원", 12900),
        ("₩12,900", 12900),
        ("￦12,900", 12900),
        ("$1,299.00", 1299),
        ("$1,299.50", 1299.5),
        ("1.299,00 €", 1299),
        ("1.299,95 €", 1299.95),
        ("1 299,00 kr", 1299),
        ("1\u00a0299,50 kr", 1299.5),
        ("1\u202f299\u202f000,5 ₽", 1299000.5),
        ("1'299.00", 1299),
        ("CHF 1’299.95", 1299.95),
        ("₹1,29,900.50", 129900.5),
        ("-5", -5),
        ("−5 %", -5),
        ("-₩5,000", -5000),
        ("₩-5,000", -5000),
        ("１２，９００원", 12900),
        ("٣٤٥", 345),
        ("12,900 ~ 15,000원", 12900),
        ("12,900-15,000", 12900),
        ("가격 - 12,900원", 12900),
        ("A-5", 5),
        ("1.299", 1299),
        ("12,900", 12900),
        ("12.90", 12.9),
        ("12,9", 12.9),
        ("0.125", 0.125),
        ("1234.567", 1234.567),
        ("1.299.000", 1299000),
        ("1,299,-", 1299),
        (".99", 0.99),
        ("from ...5,000", 5000),
        ("2024.12.25", 2024),
        ("1.2.3", 1),
        ("007", 7),
        ("5 for 10", 5),
        ("iPhone 15", 15),
        ("0", 0),
        ("1" * 30, int("1" * 30)),
    ],
)
def test_reads_the_first_number(text: str, number: float) -> None:
    """A whole number is an int however it is written, any other a float."""
    found = read_number(text)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("text", ["", "   ", "sold out", "-", "₩", ".", ",", "one", "9" * 31, "1." + "3" * 40])
def test_text_without_a_sane_number_is_none(text: str) -> None:
    """No number is not zero."""
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"), [("12900", 12900), (" 12,900 ", 12900), ("-12.5", -12.5), ("+3", 3), ("1 299,00", 1299)]
)
def test_a_whole_text_can_be_a_number(text: str, number: float) -> None:
    """With `whole`, a number alone counts."""
    assert read_number(text, whole=True) == number


@pytest.mark.parametrize("text", ["501 Jeans", "12,900원", "$5", "2024.12.25", "1 2", ""])
def test_a_text_with_more_than_a_number_is_not_whole(text: str) -> None:
    """With `whole`, a name that begins with a number is no number."""
    assert read_number(text, whole=True) is None


def _grouped(units: int, separator: str) -> str:
    return f"{units:,}".replace(",", separator)


@given(
    units=st.integers(0, 10**12),
    cents=st.integers(0, 99),
    style=st.sampled_from([(",", "."), (".", ","), (" ", ","), (" ", "."), ("'", "."), ("\u00a0", ","), ("’", ".")]),
    frame=st.sampled_from(["{}", "₩{}", "{}원", "$ {}", "{} €", "SEK {}", "now {}!", "-{}", "-₩{}"]),
)
def test_formatted_money_reads_back(units: int, cents: int, style: tuple[str, str], frame: str) -> None:
    """Two decimals are never taken for a group, whichever country's signs are used."""
    thousands, point = style
    sign = -1 if "-" in frame else 1
    text = frame.format(f"{_grouped(units, thousands)}{point}{cents:02d}")
    assert read_number(text) == sign * float(f"{units}.{cents:02d}")


@given(units=st.integers(0, 10**15), separator=st.sampled_from([",", ".", " ", "'", ""]))
def test_formatted_whole_numbers_read_back(units: int, separator: str) -> None:
    """Groups of three are thousands, whatever stands between them."""
    found = read_number(f"가격 {_grouped(units, separator)}원")
    assert found == units
    assert isinstance(found, int)


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """What a page says is not under our control."""
    number = read_number(text)
    assert number is None or abs(number) < 10**30
