"""Texts of pages in messages to people: short, in one line, ringing nobody, and without what addresses may hide."""

from __future__ import annotations

import time

import pytest

from pagemill.alerting.plain_text import kind_of_reason, plain_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("세미 와이드  Rain Jacket", "세미 와이드 Rain Jacket"),
        ("a\r\nSubject: b\x00\x1b[31mred\u2028c", "a Subject: b [31mred c"),
        ("pay\u202egnp.exe", "pay gnp.exe"),
        ("lone \ud800 half", "lone half"),
        ("@everyone and <@U1>", "＠everyone and <＠U1>"),
        ("see https://me:hunter2@shop.test:81/p/1?token=hunter2#hunter2 now", "see shop.test:81/p/1 now"),
        ('the visit ended at "https://shop.test/login?next=hunter2"', 'the visit ended at "shop.test/login"'),
        ("ftp://a/b?x=hunter2, tgram://hunter3@c/d", "a/b c/d"),
        ("12,900 -> 13,900 (50 % & more)", "12,900 -> 13,900 (50 % & more)"),
    ],
)
def test_what_is_left_of_a_text(text: str, shown: str) -> None:
    """Line breaks and control characters are spaces; addresses keep host and path."""
    assert plain_line(text, 200) == shown


def test_a_text_is_cut_where_it_gets_long() -> None:
    """However long it was, at once, and without showing half of what stands in an address."""
    begun_s = time.monotonic()
    assert plain_line("x" * 5_000_000, 10) == "x" * 9 + "…"
    assert plain_line("a." * 2_500_000, 10) == "a.a.a.a.a…"
    assert plain_line("http://" * 700_000, 10) != ""
    assert time.monotonic() - begun_s < 2
    assert plain_line("1234567890", 10) == "1234567890"
    assert "hunter2" not in plain_line(f"https://me:hunter2{'2' * 500}@shop.test/", 30)


def test_reasons_of_one_kind_are_one() -> None:
    """Whatever the page's own address and words were."""
    assert (
        kind_of_reason("the visit ended elsewhere: https://shop.test/1")
        == kind_of_reason("the visit ended elsewhere: https://shop.test/2?x")
        == "the visit ended elsewhere: …"
    )
    assert (
        kind_of_reason('the page does not say price ("9,900 P" is not understood)')
        == 'the page does not say price ("…" is not understood)'
    )
    assert kind_of_reason("HTTP 500") == "HTTP 500"
