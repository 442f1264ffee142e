"""What Chromium is told of the addresses that platforms list."""

from __future__ import annotations

import pytest

from pagemill.browser.address_spaces import mapped_to, overrides


@pytest.mark.parametrize(
    ("host", "entries"),
    [
        ("www.shop.com", []),
        ("*.shop.com", []),
        ("127.0.0.1", ["127.0.0.1/32=public"]),
        ("127.0.0.1:8900", ["127.0.0.1:8900=public"]),
        ("[::1]:80", ["[::1]:80=public"]),
        ("fd00::5", ["[fd00::5]/128=public"]),
        ("10.0.0.0/8", ["10.0.0.0/8=public"]),
        ("fc00::/7", ["[fc00::]/7=public"]),
        ("localhost:8900", ["127.0.0.1:8900=public", "[::1]:8900=public"]),
    ],
)
def test_an_address_counts_as_public(host: str, entries: list[str]) -> None:
    """In the form that Chromium reads; a name says nothing of addresses."""
    assert overrides([host, host]) == entries


@pytest.mark.parametrize(
    ("rules", "targets"),
    [
        ("MAP * 127.0.0.1", ["127.0.0.1"]),
        ("MAP a.test 127.0.0.1:81, EXCLUDE b.test ,map *.c.test [::1]:82", ["127.0.0.1:81", "[::1]:82"]),
        ("MAP a.test b.test, MAP * ~NOTFOUND", ["b.test"]),
        ("", []),
    ],
)
def test_what_names_are_mapped_to_is_found(rules: str, targets: list[str]) -> None:
    """In rules as Chromium takes them."""
    assert mapped_to(rules) == targets
