"""What a paused request says so that Chromium's cache steps aside."""

from __future__ import annotations

from typing import Any

import pytest

from pagemill.browser.fresh_request import fresh_headers


def _request(method: str = "GET", **headers: str) -> dict[str, Any]:
    return {"method": method, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}


def _lines(request: dict[str, Any]) -> list[str]:
    headers = fresh_headers(request)
    assert headers is not None
    return [f"{header['name']}: {header['value']}" for header in headers]


def test_the_shop_is_asked_in_chromiums_own_order() -> None:
    """The protocol tells headers in the alphabet's order, and what is sent stands as it is given."""
    request = _request(Accept="*/*", Referer="r", User_Agent="a", X_Own="1", sec_ch_ua="b", sec_ch_ua_mobile="?0")
    assert _lines(request) == [
        "Cache-Control: no-cache",
        "sec-ch-ua: b",
        "sec-ch-ua-mobile: ?0",
        "User-Agent: a",
        "X-Own: 1",
        "Accept: */*",
        "Referer: r",
    ]


@pytest.mark.parametrize("said", ["max-age=0", "max-stale", "only-if-cached"])
def test_what_the_page_said_of_the_cache_gives_way(said: str) -> None:
    """In whatever letters it was written."""
    assert _lines(_request(cache_control=said)) == ["Cache-Control: no-cache"]


def test_cookies_are_left_to_chromium() -> None:
    """It adds them when the request leaves, with what another answer has set meanwhile."""
    assert _lines(_request(Cookie="k=old")) == ["Cache-Control: no-cache"]


@pytest.mark.parametrize(
    "request_",
    [
        _request("POST", Content_Type="application/json"),
        _request("PUT"),
        _request(Accept="text/event-stream", Cache_Control="no-cache"),
        _request(cache_control="no-cache, private"),
    ],
)
def test_what_no_cache_answers_is_left_as_it_is(request_: dict[str, Any]) -> None:
    """Bodies, event streams, and what asks for it by itself."""
    assert fresh_headers(request_) is None


def test_a_head_request_is_answered_by_the_shop_too() -> None:
    """Chromium would answer it from what a GET has left."""
    assert _lines(_request("HEAD")) == ["Cache-Control: no-cache"]
