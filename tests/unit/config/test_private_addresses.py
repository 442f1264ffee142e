"""Which addresses are private, in all the clothes that they come in."""

from __future__ import annotations

import pytest

from pagemill.config.private_addresses import PRIVATE, address_of, is_internal, is_private


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.31.255.255",
        "192.168.0.1", "224.0.0.251", "255.255.255.255", "::", "::1", "fd12::1", "fe80::1%eth0", "fec0::1", "ff02::fb",
        "::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:c0a8:1::1",
    ],
)  # fmt: skip
def test_a_private_address(text: str) -> None:
    """IPv4 within IPv6 leads where the IPv4 address does."""
    address = address_of(text)
    assert address is not None
    assert is_private(address)


@pytest.mark.parametrize(
    "text",
    [
        "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.0.1",
        "172.15.255.255", "172.32.0.0", "192.167.0.1", "198.18.0.1", "223.255.255.255", "1.1.1.1", "2606:4700::1111",
        "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::",
    ],
)  # fmt: skip
def test_a_public_address(text: str) -> None:
    """Next to the private ones."""
    address = address_of(text)
    assert address is not None
    assert not is_private(address)


@pytest.mark.parametrize("text", ["", "shop.test", "127.1", "0x7f.0.0.1", "1.2.3.4/8", "[::1]"])
def test_what_is_no_address(text: str) -> None:
    """Only whole ones are."""
    assert address_of(text) is None


@pytest.mark.parametrize(
    "name", ["storefront", "shop.local", "shop.shops.svc.cluster.local", "shop.internal", "shop.lan", "a.home.arpa"]
)
def test_a_name_of_the_own_network(name: str) -> None:
    """Nobody outside can say where it leads."""
    assert is_internal(name)


@pytest.mark.parametrize("name", ["shop.com", "local.shop.com", "internal.kr", "x.arpa", "home.arpa.com"])
def test_a_name_that_somebody_may_own(name: str) -> None:
    """Whatever it sounds like."""
    assert not is_internal(name)


def test_each_network_says_what_it_is_for() -> None:
    """A network without a why is not refused."""
    assert all(len(why) > 5 for _network, why in PRIVATE)
