"""Numbers are read as people write them, whatever their country."""

from __future__ import annotations

import time
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.numbers.number_text import read_number


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
        ("12, 900원", 12900),
        ("12 ,900 원", 12900),
        ("1, 299, 000", 1299000),
        ("2, 300 pieces", 2),
        ("1,299,-", 1299),
        (".99", 0.99),
        ("from ...5,000", 5000),
        ("2024.12.25", 2024),
        ("1.2.3", 1),
        ("007", 7),
        ("5 for 10", 5),
        ("iPhone 15", 15),
        ("1 480,250 kg", 1480.25),
        ("0", 0),
        ("1" * 30, int("1" * 30)),
    ],
)
def test_reads_a_number(text: str, number: float) -> None:
    """A whole number is an int however it is written, any other a float."""
    found = read_number(text)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("25% 16,800원", 16800),
        ("25%16,800원", 16800),
        ("25 % 16,800원", 16800),
        ("-25% $18.00", 18),
        ("25% off 16.80", 16.8),
        ("%25 16,80", 16.8),
        ("Sepette %25 1.680,50 TL", 1680.5),
        ("200 %10", 200),
        ("%25 168,50 TL", 168.5),
        ("25% 1 680 kr", 1680),
        ("25 % 1 680 kr", 1680),
        ("199 $ 20% off", 199),
        ("10~20% 16,800", 16800),
        ("16,800원 25% 12,600원", 16800),
        ("3 for 16.80 €", 16.8),
        ("3/$8", 8),
        ("6 x 1,20 EUR", 1.2),
        ("500 g 4,80 €", 4.8),
        ("2+1 4,800원", 4800),
        ("리뷰 12 118,000원", 118000),
        ("30.11.2025 4,80 €", 4.8),
        ("6er Pack 12,-", 12),
        ("12x de R$ 44,90", 44.9),
        ("2件 ¥88", 88),
        ("3 Al 2 Öde 99,90 TL", 99.9),
        ("10 - 20 €", 10),
        ("£6 to £9", 6),
        ("200 $ 180 $", 200),
        ("Free shipping from $45", 45),
        ("25%", 25),
        ("-25 %", -25),
        ("%25", 25),
        ("up to 25% off", 25),
        ("1 pair of 2 원형 접시 8,000원", 8000),
        ("6 Ft cable $9.80", 9.8),
    ],
)
def test_the_number_beside_a_currency_is_meant(text: str, number: float) -> None:
    """Of several, the first beside a currency; else the first that is no percentage; else the first."""
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Rs.1,480", 1480),
        ("Rs. 1,480/-", 1480),
        ("Rs.50", 50),
        ("S/.50", 50),
        ("Fr. 14.80", 14.8),
        ("Fr.14.80", 14.8),
        ("14.800,- €", 14800),
        ("14,-", 14),
        ("14.–", 14),
        ("1.480,--", 1480),
        ("1480:-", 1480),
        ("CHF 1’480.–", 1480),
        ("CHF -.80", 0.8),
        ("-.80", -0.8),
        ("-CHF 14.80", -14.8),
        ("٣٬٤٥٠٫٥٠", 3450.5),
    ],
)
def test_dashes_and_points_of_currencies_are_no_part_of_the_number(text: str, number: float) -> None:
    """A point ends an abbreviation, a dash stands for no cents."""
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("KWD 14.800", ".", 14.8),
        ("14.800", None, 14800),
        ("14.800", ",", 14800),
        ("14,800", ",", 14.8),
        ("14,800", ".", 14800),
        ("BHD 1,480.250", ".", 1480.25),
        ("1 480,250", ",", 1480.25),
        ("1.480.000", ".", 1480000),
        ("1,480,000", ",", 1480000),
        ("1,48,000", ",", 148000),
        ("1.480,50", ".", 1480.5),
        ("1,480.50", ",", 1480.5),
        ("14,80", ".", 14.8),
        ("14.80", ",", 14.8),
    ],
)
def test_a_shop_may_say_which_sign_starts_decimals(text: str, decimal: Literal[".", ","] | None, number: float) -> None:
    """It decides where the text leaves a choice, and nowhere else."""
    assert read_number(text, decimal=decimal) == number


@pytest.mark.parametrize("text", ["", "   ", "sold out", "-", "₩", ".", ",", "one", "9" * 31, "1." + "3" * 40])
def test_text_without_a_sane_number_is_none(text: str) -> None:
    """No number is not zero."""
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12900", 12900),
        (" 12,900 ", 12900),
        ("-12.5", -12.5),
        ("+3", 3),
        ("1 299,00", 1299),
        ("4만", 40000),
        ("247, 50", 247.5),
    ],
)
def test_a_whole_text_can_be_a_number(text: str, number: float) -> None:
    """With `whole`, a number alone counts."""
    assert read_number(text, whole=True) == number


@pytest.mark.parametrize(
    "text", ["501 Jeans", "12,900원", "$5", "2024.12.25", "1 2", "", "4만원", "5%", "14,-", "318 40"]
)
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


@given(
    price=st.integers(1000, 10**9),
    percent=st.integers(1, 99),
    frame=st.sampled_from(
        ["{}% {:,}원", "{:d} % ₩{:,}", "%{} {:,} KRW", "{}개 {:,}원", "-{}% {:,}", "({}%) {:,}円", "{}x ${:,}"]
    ),
)
def test_a_discount_or_a_count_is_not_the_price(price: int, percent: int, frame: str) -> None:
    """Whichever of them comes first."""
    assert read_number(frame.format(percent, price)) == price


@pytest.mark.parametrize(
    "piece",
    ["1", "1,22", "1 222", "1.1", "1만", "1천 ", "$1 95 ", "€ 1 - ", "1%", "1, 22, ", "1 USD ", "\ufdfa", "9" * 40],
)
def test_long_hostile_text_takes_linear_time(piece: str) -> None:
    """Ten thousand characters of anything; a pattern that explodes on one of these would take minutes."""
    text = (piece * 10_000)[:10_000]
    begin = time.process_time()
    number = read_number(text)
    assert number is None or abs(number) < 10**30
    read_number(text, whole=True)
    assert time.process_time() - begin < 3
