"""What is a Redis URL, and what of it may be shown."""

from __future__ import annotations

import pytest

from pagemill.broker.address import shown_address
from pagemill.errors import UsageError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://", "localhost:6379"),
        ("redis://queue", "queue:6379"),
        ("redis://user:secret@queue.example:7000/2", "queue.example:7000"),
        ("rediss://:secret@[::1]:6380", "::1:6380"),
        ("unix:///run/redis.sock?db=1&password=secret", "/run/redis.sock"),
        ("redis://queue?socket_timeout=3", "queue:6379"),
    ],
)
def test_the_shown_part_is_the_place_alone(url: str, shown: str) -> None:
    """No user, no password, no options."""
    assert shown_address(url) == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://:secret@queue",
        "queue:6379",
        "redis://:sec/ret@queue:6379",
        "redis://queue:port",
        "redis://:secret@queue?db=secret",
        "redis://queue?no_such_option=secret",
    ],
)
def test_anything_else_is_a_usage_error_that_hides_the_password(url: str) -> None:
    """The message says what to write."""
    with pytest.raises(UsageError, match="redis://host:6379/0") as raised:
        shown_address(url)

    assert "sec" not in str(raised.value).replace("second", "")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
