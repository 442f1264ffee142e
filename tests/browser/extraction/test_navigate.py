"""Navigation brings a status or one of our errors, whatever the network and the last visit did."""

from __future__ import annotations

import asyncio
import time

import pytest
from playwright.async_api import Page

from pagemill.errors import DeadlineExceeded, PageLost, VisitFailed, VisitRefused
from pagemill.extraction.navigate import navigate
from tests.browser.extraction.local_shop import LocalShop, Reply, html

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

ATTACHMENT = Reply(
    (b"x" * 10,),
    headers=(("content-type", "application/octet-stream"), ("content-disposition", "attachment; filename=a.bin")),
)

UNKNOWN = None
"""Without a driver the document itself tells its status, when it is read."""


def redirect(to: str) -> Reply:
    return Reply(status=302, headers=(("location", to),))


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_brings_the_status(status: int, fresh_page: Page, local_shop: LocalShop) -> None:
    """Of the last document of a chain of redirects; an error of the shop is no error of the navigation."""
    local_shop.replies["/"] = redirect("/there")
    local_shop.replies["/there"] = html("<body>", status=status)
    assert await navigate(fresh_page, local_shop.url("/"), 5) == status
    assert fresh_page.url == local_shop.url("/there")


@pytest.mark.parametrize("path", ["/file", "/to-file"])
async def test_a_download_is_refused(path: str, either_page: Page, local_shop: LocalShop) -> None:
    """Asked for or led to."""
    local_shop.replies["/file"] = ATTACHMENT
    local_shop.replies["/to-file"] = redirect("/file")
    with pytest.raises(VisitRefused, match="download"):
        await navigate(either_page, local_shop.url(path), 5)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html,x", "javascript:1", "about:blank", "shop", ""])
async def test_only_http_is_visited(url: str, either_page: Page) -> None:
    """Whatever a catalogue says."""
    with pytest.raises(VisitRefused, match="not an http"):
        await navigate(either_page, url, 5)


async def test_a_redirect_out_of_the_web_is_refused(either_page: Page, local_shop: LocalShop) -> None:
    """Chromium does not follow it, however often it is asked."""
    local_shop.replies["/"] = redirect("file:///etc/passwd")
    with pytest.raises(VisitRefused, match="ERR_UNSAFE_REDIRECT"):
        await navigate(either_page, local_shop.url("/"), 5)


async def test_a_network_error_fails_with_its_cause(either_page: Page, local_shop: LocalShop) -> None:
    """In a few words, without the call log."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    with pytest.raises(VisitFailed) as caught:
        await navigate(either_page, f"http://127.0.0.1:{port}/", 5)
    assert str(caught.value) == "net::ERR_CONNECTION_REFUSED"
    local_shop.replies["/"] = redirect("/")
    with pytest.raises(VisitFailed, match="ERR_TOO_MANY_REDIRECTS"):
        await navigate(either_page, local_shop.url("/"), 5)
    local_shop.replies["/"] = Reply(status=204)
    with pytest.raises(VisitFailed, match="ERR_ABORTED"):
        await navigate(either_page, local_shop.url("/"), 5)


async def test_the_visit_after_a_failed_one_is_not_disturbed(either_page: Page, local_shop: LocalShop) -> None:
    """Chromium's error page comes late; it must not pass for the next visit, nor end it."""
    local_shop.replies["/"] = html("<body>")
    for _ in range(10):
        with pytest.raises(VisitRefused, match="ERR_UNSAFE_PORT"):
            await navigate(either_page, "http://127.0.0.1:1/", 5)
        assert await navigate(either_page, local_shop.url("/"), 5) in (200, UNKNOWN)


async def test_a_url_that_differs_by_its_fragment_is_a_new_document(either_page: Page, local_shop: LocalShop) -> None:
    """Otherwise a shop that routes by fragment shows what the last visit left."""
    local_shop.replies["/"] = html("<body>")
    for fragment in ("#/p/1", "#/p/2", "#/p/2", ""):
        assert await navigate(either_page, local_shop.url(f"/{fragment}"), 5) in (200, UNKNOWN)
        assert await either_page.evaluate("window.marked") is None
        await either_page.evaluate("void (window.marked = 1)")
    assert len(local_shop.asked) >= 4


async def test_a_slow_server_is_given_up(either_page: Page, local_shop: LocalShop) -> None:
    """In the given time; none at all is over at once."""
    local_shop.replies["/"] = html("", delay_s=2)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"timeout: loading the page took longer than 0\.5 s"):
        await navigate(either_page, local_shop.url("/"), 0.5)
    with pytest.raises(DeadlineExceeded):
        await navigate(either_page, local_shop.url("/"), 0)
    assert time.monotonic() - started < 1.5


async def test_a_page_that_is_gone_is_lost(either_page: Page, local_shop: LocalShop) -> None:
    """No time is spent on it."""
    await either_page.close()
    with pytest.raises(PageLost):
        await navigate(either_page, local_shop.url("/"), 5)
