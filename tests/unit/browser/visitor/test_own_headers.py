"""The visitor's headers go to the platform's hosts and to nobody whose address only looks like one of theirs."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.browser.visitor.own_headers import OwnHeaders
from pagemill.browser.visitor.preset_cookies import preset_cookies
from pagemill.config.platform import Platform

HOSTS = ["www.shop.com", "*.shop.com", "[::1]:80"]


def added(url: str, kind: str = "Fetch", **headers: str) -> dict[str, str] | None:
    """All headers of a request after ours were added."""
    event: dict[str, Any] = {"request": {"url": url, "headers": {"Accept": "*/*", "x-shop": "theirs"}}}
    given = OwnHeaders(HOSTS, headers).added_to(event | {"resourceType": kind})
    return None if given is None else {header["name"]: header["value"] for header in given}


@pytest.mark.parametrize("url", ["https://www.shop.com/a", "http://api.shop.com:8080/", "http://[::1]/"])
def test_requests_to_own_hosts_get_them(url: str) -> None:
    """In place of the page's own of the same name."""
    assert added(url, **{"X-Shop": "ours"}) == {"Accept": "*/*", "X-Shop": "ours"}


@pytest.mark.parametrize(
    "url", ["https://evil.test/x.shop.com/", "https://evil.test:1/?www.shop.com:/", "https://shop.com.evil.test/"]
)
def test_addresses_that_only_look_like_theirs_get_none(url: str) -> None:
    """Chromium's patterns match them."""
    assert added(url, **{"X-Shop": "ours"}) is None


def test_a_referer_goes_with_documents_only() -> None:
    """And then nothing but documents is paused for it."""
    assert added("https://www.shop.com/", "Document", Referer="r")["Referer"] == "r"  # type: ignore[index]
    assert added("https://www.shop.com/", "Script", Referer="r") is None
    assert OwnHeaders(HOSTS, {"Referer": "r"}).fetch_patterns() == []
    assert {"urlPattern": "*://*.shop.com:*/*"} in OwnHeaders(HOSTS, {"X": "y"}).fetch_patterns()


def test_cookies_are_set_for_every_host_as_its_entry_says() -> None:
    """For subdomains where it stands for those, secure where the name wants it."""
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": HOSTS,
            "extract": {"fields": {"name": "h1"}},
            "visitor": {"cookies": {"adult": "1", "__Secure-a": "2"}},
        }
    )
    cookies = preset_cookies(platform, None)
    assert {cookie["domain"] for cookie in cookies} == {"www.shop.com", ".shop.com", "[::1]"}
    assert {cookie["name"]: cookie["secure"] for cookie in cookies} == {"adult": False, "__Secure-a": True}


def test_a_network_among_the_hosts_gets_headers_and_no_cookies() -> None:
    """No pattern and no cookie can name one: everything is paused, and judged address by address."""
    hosts = ["shop.test", "10.0.0.0/8"]
    headers = OwnHeaders(hosts, {"X": "y"})
    assert headers.fetch_patterns() == [{"urlPattern": "*"}]
    for url, given in (("http://10.0.0.5/", True), ("http://11.0.0.5/", False)):
        event = {"request": {"url": url, "headers": {}}, "resourceType": "Script"}
        assert (headers.added_to(event) is not None) is given
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": hosts,
            "extract": {"fields": {"name": "h1"}},
            "visitor": {"cookies": {"adult": "1"}},
        }
    )
    assert [cookie["domain"] for cookie in preset_cookies(platform, None)] == ["shop.test"]
