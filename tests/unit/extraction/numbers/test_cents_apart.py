"""Cents that stand apart from their number are read with it, and other digits are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.numbers.number_text import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("247, 50 TL", 247.5),
        ("247 ,50 TL", 247.5),
        ("247 , 50 TL", 247.5),
        ("2.470, 50 €", 2470.5),
        ("ab 2 470, 50 zł", 2470.5),
        ("$31. 40 each", 31.4),
        ("58 .20 USD", 58.2),
        ("247, 50", 247.5),
        ("12'80 €", 12.8),
        ("12:80 kr", 12.8),
        ("64€90", 64.9),
        ("64€ 90", 64.9),
        ("64 € 90", 64.9),
        ("64 €90", 64.9),
        ("1 264€90 TTC", 1264.9),
        ("7€50 le kilo", 7.5),
        ("64€ 90 79€ 90", 64.9),
        ("64 Euro 90", 64.9),
        ("$318 40", 318.4),
        ("was $ 318 40", 318.4),
        ("$318 40 $420 00", 318.4),
        ("$1,318 40 (incl. tax)", 1318.4),
        ("£8 05 per kg", 8.05),
        ("€0 79", 0.79),
        ("-$318 40", -318.4),
        ("318 40 zł", 318.4),
        ("1.318 40 €", 1318.4),
        ("$318⁴⁰", 318.4),
        ("ab 1.318⁴⁰ €", 1318.4),
        ("64€⁹⁰", 64.9),
    ],
)
def test_cents_may_stand_apart(text: str, number: float) -> None:
    """Cents in an element of their own arrive with a space before them, or raised."""
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("₩318 40", 318),
        ("¥318 40", 318),
        ("16,800원 20", 16800),
        ("16,800 20", 16800),
        ("318 40", 318),
        ("1 420 kr", 1420),
        ("$318 40 left", 318),
        ("$30 24 reviews", 30),
        ("$318 40% off", 318),
        ("64 € 90 €", 64),
        ("64 € 20 %", 64),
        ("64 € 12 Stück", 64),
        ("set of 2 $15", 15),
        ("set of 2 $ 15.20", 15.2),
        ("set of 2 €15", 15),
        ("$6. 12 are left", 6),
        ("sizes 38, 40", 38),
        ("38, 40, 42", 38),
        ("38, 40, 42 €", 42),
        ("2025. 11. 30", 2025),
        ("30. 11. 2025", 30),
        ("11. 30.", 11),
        ("6'11", 6),
        ("10:45 $7", 7),
        ("18.40¹ €", 18.4),
        ("m² 35", 35),
    ],
)
def test_two_digits_are_no_cents_in_doubt(text: str, number: float) -> None:
    """They may be a quantity, a discount, a date or the next price, and won and yen have no cents at all."""
    assert read_number(text) == number


@given(
    units=st.integers(0, 10**6),
    cents=st.integers(0, 99),
    grouping=st.sampled_from([",", ".", " ", "'", ""]),
    frame=st.sampled_from(["{}€{:02d}", "$ {} {:02d}", "now £{} {:02d} each", "{} {:02d} zł", "{} , {:02d} TL"]),
)
def test_cents_apart_read_back(units: int, cents: int, grouping: str, frame: str) -> None:
    """However the thousands are grouped."""
    grouping = "." if "TL" in frame and grouping == "," else grouping
    text = frame.format(f"{units:,}".replace(",", grouping), cents)
    assert read_number(text) == float(f"{units}.{cents:02d}")
