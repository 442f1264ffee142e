"""Messages from the pipe, whole and in pieces; of one that is too long only whose it was is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pagemill.browser.protocol_messages import Messages, TooLong


def cut(messages: Messages, data: bytes, size: int) -> list[Any]:
    """What comes of the data, in pieces of that size."""
    return [found for at in range(0, len(data), size) for found in messages.cut(data[at : at + size])]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_come_whole_however_they_are_sent(size: int) -> None:
    """With every letter; an empty one is one too."""
    assert cut(Messages(100), '{"a": "컵"}\0\0{"b": 1}\0{"c'.encode(), size) == ['{"a": "컵"}', "", '{"b": 1}']


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ('{"id":7,"result":{"v":"', '"},"sessionId":"S1"}', (7, "", "S1")),
        ('{"id":7,"result":{"v":"', '"}}', (7, "", "")),
        (
            '{"method":"Page.frameNavigated","params":{"v":"',
            '"},"sessionId":"S1"}',
            (None, "Page.frameNavigated", "S1"),
        ),
        ('{"id":7,"result":{"v":"' + "y" * 1_940, '"},"sessionId":"S1"}', (7, "", "S1")),
        ('{"method":"Target.targetCreated","params":{"v":"', '"}}', (None, "Target.targetCreated", "")),
    ],
)
def test_of_one_that_is_too_long_its_ends_are_kept(
    begin: str, end: str, told: tuple[int | None, str, str], size: int
) -> None:
    """And the next one comes as if nothing had been."""
    messages = Messages(2_000)
    long = begin + "x" * (10_000 if len(begin) < 1_000 else 30) + end
    [found, after] = cut(messages, f"{long}\0{json.dumps({'id': 8})}\0".encode(), size)
    assert found == TooLong(len(long), *told)
    assert after == '{"id": 8}'


def test_one_that_is_just_short_enough_is_kept() -> None:
    """The bound itself may be reached."""
    messages = Messages(10)
    assert list(messages.cut(b"0123456789\0")) == ["0123456789"]
    assert list(messages.cut(b"0123456789a\0")) == [TooLong(11, None, "", "")]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_nobody_has_asked_for_may_be_less_long(size: int) -> None:
    """An answer of that length is kept."""
    answer, event = (json.dumps({key: 1, "v": "x" * 400}) for key in ("id", "method"))
    kept, dropped, last = cut(Messages(1_000, 300), f"{answer}\0{event}\0{{}}\0".encode(), size)
    assert (kept, last) == (answer, "{}")
    assert dropped == TooLong(len(event), None, "", "")


def test_nothing_of_one_that_is_too_long_is_kept_while_it_comes() -> None:
    """It may have no end."""
    messages = Messages(1_000)
    for _ in range(1_000):
        assert list(messages.cut(b"x" * 1_000)) == []
    assert sum(map(len, (*messages._chunks, messages._head))) < 2_000
