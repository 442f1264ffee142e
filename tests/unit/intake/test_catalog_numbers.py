"""Numbers as people write them: by the sign that was said, by their form, or not at all."""

from __future__ import annotations

import pytest

from pagemill.intake.expected import read_expected
from pagemill.intake.number_text import DecimalSign


@pytest.mark.parametrize(
    ("text", "plain", "either", "point", "comma"),
    [
        ("12900", 12900, 12900, 12900, 12900),
        ("-5", -5, -5, -5, -5),
        ("12,90", None, 12.9, None, 12.9),
        ("12.90", 12.9, 12.9, 12.9, None),
        ("1.234,50", None, 1234.5, None, 1234.5),
        ("1,234.50", None, 1234.5, 1234.5, None),
        ("1.234.567", None, 1234567, None, 1234567),
        ("1,234,567", None, 1234567, 1234567, None),
        ("1.234", 1.234, "1.234 or 1234", 1.234, 1234),
        ("1,234", None, "1234 or 1.234", 1234, 1.234),
        ("-12,900", None, "-12900 or -12.900", -12900, -12.9),
        ("0,125", None, 0.125, None, 0.125),
        ("0.125", 0.125, 0.125, 0.125, None),
        ("1234,567", None, 1234.567, None, 1234.567),
        ("1 234", None, 1234, 1234, 1234),
        ("1\u202f234,5", None, 1234.5, None, 1234.5),
        ("1 234 567.5", None, 1234567.5, 1234567.5, None),
        (".5", 0.5, 0.5, 0.5, None),
        (",5", None, 0.5, None, 0.5),
        ("12.", 12.0, 12.0, 12.0, None),
        ("1.5e3", 1500.0, 1500.0, 1500.0, 1500.0),
        ("1,2,3", None, None, None, None),
        ("12,34,567", None, None, None, None),
        ("1.234,567.8", None, None, None, None),
        ("1 234,567 890", None, None, None, None),
        ("12,900원", None, None, None, None),
        (".", None, None, None, None),
        (",", None, None, None, None),
        ("-", None, None, None, None),
        ("9" * 31, None, None, None, None),
        ("١٢", None, None, None, None),
    ],
)
def test_a_number_is_read_by_its_decimal_sign(
    text: str, plain: object, either: object, point: object, comma: object
) -> None:
    """What is no number, or may be two, is refused; what may be two tells both."""
    signs: dict[DecimalSign, object] = {"plain": plain, "either": either, ".": point, ",": comma}
    for sign, wanted in signs.items():
        if wanted is None or isinstance(wanted, str):
            with pytest.raises(ValueError, match=wanted or "is not a number") as raised:
                read_expected(text, "number", sign)
            assert not wanted or "--decimal" in str(raised.value)
        else:
            read = read_expected(text, "number", sign)
            assert (read, type(read)) == (wanted, type(wanted))


@pytest.mark.parametrize(("text", "helps"), [("12,90", True), ("1,234.50", True), ("12,900원", False), ("dear", False)])
def test_the_remedy_is_named_where_it_helps(text: str, helps: bool) -> None:
    """Saying which sign is the decimal one makes no number of words."""
    with pytest.raises(ValueError, match="is not a number: write one such as 12900") as raised:
        read_expected(text, "number")
    assert ("--decimal" in str(raised.value)) is helps
