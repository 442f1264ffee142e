"""Where requests come from: which names are this machine's, and what a browser says about the site behind one."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from pagemill.control_room.frame.origin import check_address, is_own_origin, names_loopback
from pagemill.errors import UsageError
from tests.unit.control_room.api.asking import SECRET


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "::1", "[::1]"])
def test_loopback_needs_no_secret(host: str) -> None:
    """Nobody else reaches it there."""
    check_address(host, "")


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.5", "localhost.example.com", "example.com", "127.1"])
def test_any_other_address_needs_one(host: str) -> None:
    """The message names the variable; with a secret it is fine."""
    with pytest.raises(UsageError, match="PAGEMILL_API_SECRET"):
        check_address(host, "")
    check_address(host, SECRET)


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8003", "127.0.0.1:1", "[::1]", "[::1]:65535", "127.0.0.9:80"])
def test_a_name_of_this_machine_may_have_any_port(host: str) -> None:
    """As browsers write it."""
    assert names_loopback(Headers({"host": host}))


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "example.com:8003",
        "localhost.example.com",
        "example.com#localhost",
        "localhost@example.com",
        "localhost:8003:80",
        "localhost:x",
        "localhost:123456",
        "localhost.",
        "127.0.0.1.example.com",
        "127.0.0.1, example.com",
        "192.168.1.5",
        "[::2]",
        "[::1",
        "::1",
        "",
        " localhost",
    ],
)
def test_any_other_name_is_a_strangers(host: str) -> None:
    """Also those that begin or end like one of ours."""
    assert not names_loopback(Headers({"host": host}))


def test_a_request_names_exactly_one_host() -> None:
    """Of two, a proxy and we might believe different ones."""
    assert not names_loopback(Headers({}))
    assert not names_loopback(Headers(raw=[(b"host", b"localhost"), (b"host", b"example.com")]))


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        (None, True),
        ("http://localhost:8003", True),
        ("https://LOCALHOST:8003", True),
        ("http://localhost:9000", False),
        ("http://localhost", False),
        ("http://127.0.0.1:8003", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_an_origin_is_ours_when_it_is_the_host(origin: str | None, own: bool) -> None:
    """Another port is another program."""
    headers = {"host": "localhost:8003"} | ({} if origin is None else {"origin": origin})
    assert is_own_origin(Headers(headers)) is own
