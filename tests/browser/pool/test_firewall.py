"""A page stays on its platform's hosts, whatever the shop's pages try."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.lease import Lease
from tests.browser.pool.real_pool import (
    RealPool,
    frame_urls,
    goto_loaded,
    is_usable,
    local_platform,
    until,
    where,
)
from tests.browser.pool.watched_server import Reply, WatchedServer, html, moved, script

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_NOTHING_CAME_S = 0.3
"""How long a contact that must not happen is waited for; an allowed one takes a tenth of it."""
_ELSEWHERE = "host localhost is not one of the platform's hosts"


async def _goto(lease: Lease, url: str) -> None:
    await lease.page.goto(url, wait_until="commit", timeout=5000)


async def test_a_host_that_is_listed_is_visited(shared: RealPool, shop: WatchedServer) -> None:
    """The control of all tests below: the other host answers, and a platform that lists it gets there."""
    shop.replies["/elsewhere"] = html("elsewhere")
    platform = local_platform(hosts=["127.0.0.1", "localhost"])
    shop.replies["/"] = script(f"location = '{shop.elsewhere()}'")
    async with shared.pool.lease(platform) as lease:
        await _goto(lease, shop.shop())
        assert await until(lambda: "localhost" in shop.hosts())
        assert lease.refusal is None


async def test_what_a_refusing_shop_asks_for_is_known(shared: RealPool, shop: WatchedServer) -> None:
    """`Retry-After` of the answer to the navigation, the last one of several, and only of that."""
    shop.replies |= {
        "/": Reply(status=429, headers=(("Retry-After", "7"),)),
        "/moved": Reply(status=302, headers=(("location", "/good"), ("Retry-After", "9"))),
        "/good": html("<iframe src=/></iframe>"),
    }
    async with shared.pool.lease(local_platform()) as lease:
        assert lease.retry_after == ""
        await _goto(lease, shop.shop())
        assert lease.retry_after == "7"
        await goto_loaded(lease, shop.shop("/moved"))
        assert lease.retry_after == ""
    async with shared.pool.lease(local_platform()) as lease:
        assert lease.retry_after == ""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_elsewhere_is_refused(shared: RealPool, shop: WatchedServer, status: int) -> None:
    """The other host is never asked, the lease says why, and the page goes on."""
    shop.replies["/"] = Reply(status=status, headers=(("location", shop.elsewhere()),))
    async with shared.pool.lease(local_platform()) as lease:
        with pytest.raises(PlaywrightError):
            await _goto(lease, shop.shop())
        assert lease.refusal == _ELSEWHERE
        assert await is_usable(lease, shop)
    assert shop.hosts() == {"127.0.0.1"}


async def test_the_last_of_many_redirects_is_judged_too(shared: RealPool, shop: WatchedServer) -> None:
    """Two redirects within the shop are fine, the third leads away."""
    shop.replies |= {"/": moved("/1"), "/1": moved("/2"), "/2": moved(shop.elsewhere())}
    async with shared.pool.lease(local_platform()) as lease:
        with pytest.raises(PlaywrightError):
            await _goto(lease, shop.shop())
        assert lease.refusal == _ELSEWHERE
    assert shop.contacts == [("127.0.0.1", "/"), ("127.0.0.1", "/1"), ("127.0.0.1", "/2")]


_WAYS = {
    "location": "<script>location = '{}'</script>",
    "replace": "<script>location.replace('{}')</script>",
    "later": "<script>setTimeout(() => location.href = '{}', 50)</script>",
    "refresh": "<meta http-equiv=refresh content='0; url={}'>",
    "form": "<form method=post action='{}'><input name=a></form><script>document.forms[0].submit()</script>",
    "link": "<a href='{}'>x</a><script>document.links[0].click()</script>",
    "redirect": "<script>location = '/moved'</script>",
    "from a frame": "<iframe srcdoc=\"<script>top.location = '{}'</script>\"></iframe>",
}


@pytest.mark.parametrize("way", _WAYS)
async def test_a_page_cannot_lead_itself_elsewhere(shared: RealPool, shop: WatchedServer, way: str) -> None:
    """By script, by meta refresh, by a form, by a link: the visit stays where it was and says why."""
    shop.replies |= {"/": html(_WAYS[way].format(shop.elsewhere())), "/moved": moved(shop.elsewhere())}
    async with shared.pool.lease(local_platform()) as lease:
        await _goto(lease, shop.shop())
        assert await until(lambda: lease.refusal == _ELSEWHERE)
        assert await where(lease) == shop.shop()
        assert await is_usable(lease, shop)
    assert shop.hosts() == {"127.0.0.1"}


_FRAMES = {
    "iframe": "<iframe src='{}'></iframe>",
    "iframe made by script": "<script>document.body.append(Object.assign(document.createElement('iframe'), "
    "{{src: '{}'}}))</script>",
    "iframe redirected": "<iframe src='/moved'></iframe>",
    "iframe of the shop that moves": "<iframe src='/moves'></iframe>",
    "iframe that refreshes": "<iframe srcdoc='<meta http-equiv=refresh content=\"0; url={}\">'></iframe>",
    "iframe in an iframe": "<iframe srcdoc='<iframe src=\"{}\"></iframe>'></iframe>",
    "sandboxed iframe": "<iframe sandbox='allow-scripts' src='{}'></iframe>",
    "object": "<object data='{}' type='text/html'></object>",
    "embed": "<embed src='{}' type='text/html'>",
    "form into an iframe": "<iframe name=f></iframe><form target=f action='{}'></form>"
    "<script>document.forms[0].submit()</script>",
}


@pytest.mark.parametrize("way", _FRAMES)
async def test_a_frame_cannot_show_another_host(shared: RealPool, shop: WatchedServer, way: str) -> None:
    """It stays empty, and since the page itself went nowhere, the visit is not called refused."""
    shop.replies |= {
        "/": html(_FRAMES[way].format(shop.elsewhere()) + "<h1>here</h1>"),
        "/moved": moved(shop.elsewhere()),
        "/moves": script(f"location = '{shop.elsewhere()}'"),
    }
    async with shared.pool.lease(local_platform()) as lease:
        await _goto(lease, shop.shop())
        await asyncio.sleep(_NOTHING_CAME_S)
        assert lease.refusal is None
        assert await lease.page.evaluate("document.querySelector('h1').textContent") == "here"
        assert await is_usable(lease, shop)
    assert shop.hosts() == {"127.0.0.1"}


async def test_a_frame_on_a_listed_host_is_held_too(shared: RealPool, shop: WatchedServer) -> None:
    """Another listed host's frame runs in a process of its own; it cannot go to a third host from there."""
    shop.replies |= {
        "/": html(f"<iframe src='{shop.elsewhere('/frame')}'></iframe>"),
        "/frame": script(f"fetch('/alive'); setTimeout(() => location = '{shop.at('127.0.0.2')}', 100)"),
    }
    async with shared.pool.lease(local_platform(hosts=["127.0.0.1", "localhost"])) as lease:
        await _goto(lease, shop.shop())
        assert await until(lambda: ("localhost", "/alive") in shop.contacts)
        await asyncio.sleep(0.1 + _NOTHING_CAME_S)
    assert shop.hosts() == {"127.0.0.1", "localhost"}


_AHEAD = {
    "prefetch": "<link rel=prefetch as=document href='{}'>",
    "prerender": "<link rel=prerender href='{}'>",
    "speculative prefetch": '<script type=speculationrules>{{"prefetch": [{{"source": "list", "urls": ["{}"], '
    '"eagerness": "immediate"}}]}}</script>',
    "speculative prerender": '<script type=speculationrules>{{"prerender": [{{"source": "list", "urls": ["{}"], '
    '"eagerness": "immediate"}}]}}</script>',
}


@pytest.mark.parametrize("way", _AHEAD)
async def test_nothing_is_prerendered(shared: RealPool, shop: WatchedServer, way: str) -> None:
    """A page that is loaded ahead would be one that no lease knows of."""
    shop.replies |= {"/": html(_AHEAD[way].format(shop.shop("/ahead"))), "/ahead": script("fetch('/ran')")}
    async with shared.pool.lease(local_platform()) as lease:
        await _goto(lease, shop.shop())
        await asyncio.sleep(_NOTHING_CAME_S)
        assert await is_usable(lease, shop)
    assert "/ran" not in shop.paths()


async def test_a_file_is_refused(shared: RealPool, shop: WatchedServer) -> None:
    """Also when pagemill itself were to ask for one: nothing of it is shown, and the page goes on."""
    async with shared.pool.lease(local_platform()) as lease:
        with pytest.raises(PlaywrightError):
            await _goto(lease, "file:///etc/hostname")
        assert lease.refusal is not None and lease.refusal.startswith("not an http or https URL")
        assert await where(lease) == "about:blank"
        assert await lease.page.evaluate("document.body.textContent") == ""
        assert await is_usable(lease, shop)


@pytest.mark.parametrize("url", ["chrome://version", "view-source:http://127.0.0.1"])
async def test_what_chromium_refuses_by_itself_is_not_shown(shared: RealPool, shop: WatchedServer, url: str) -> None:
    """It never becomes a request; Chromium shows its error page instead, and the page goes on."""
    async with shared.pool.lease(local_platform()) as lease:
        with pytest.raises(PlaywrightError):
            await _goto(lease, url)
        await asyncio.sleep(_NOTHING_CAME_S)
        assert await where(lease) in ("about:blank", "chrome-error://chromewebdata/")
        assert await is_usable(lease, shop)


@pytest.mark.parametrize("scheme", ["file:///etc/hostname", "data:text/html,x", "chrome://version"])
async def test_a_page_cannot_move_to_other_schemes(shared: RealPool, shop: WatchedServer, scheme: str) -> None:
    """Chromium or the firewall, one of them refuses."""
    shop.replies["/"] = script(f"location = '{scheme}'")
    async with shared.pool.lease(local_platform()) as lease:
        await _goto(lease, shop.shop())
        await asyncio.sleep(_NOTHING_CAME_S)
        assert await where(lease) == shop.shop()
        assert await is_usable(lease, shop)


@pytest.mark.parametrize("way", ["moved", "frame"])
async def test_a_file_is_not_read_through_the_shop(
    shared: RealPool, shop: WatchedServer, tmp_path: Path, way: str
) -> None:
    """Neither a redirect nor a frame shows what is on this machine's disk."""
    secret = tmp_path / "secret.html"
    secret.write_text("<h1>secret</h1>")
    shop.replies["/moved"] = moved(secret.as_uri())
    shop.replies["/frame"] = html(f"<iframe src='{secret.as_uri()}'></iframe>")
    async with shared.pool.lease(local_platform()) as lease:
        if way == "moved":
            with pytest.raises(PlaywrightError):
                await _goto(lease, shop.shop("/moved"))
        else:
            await _goto(lease, shop.shop("/frame"))
        await asyncio.sleep(_NOTHING_CAME_S)
        assert not any(url.startswith("file:") for url in await frame_urls(lease))
        assert await is_usable(lease, shop)


async def test_a_refusal_is_forgotten_by_the_next_lease(shared: RealPool, shop: WatchedServer) -> None:
    """The same page, leased again, starts with a clean sheet."""
    shop.replies["/"] = moved(shop.elsewhere())
    platform = local_platform(page=10, context=10, name="again")
    async with shared.pool.lease(platform) as lease:
        first = lease.page
        with pytest.raises(PlaywrightError):
            await _goto(lease, shop.shop())
        assert lease.refusal == _ELSEWHERE
    async with shared.pool.lease(platform) as lease:
        assert lease.page is first
        assert lease.refusal is None
        assert await is_usable(lease, shop)


async def test_many_frames_elsewhere_do_not_stall_a_page(shared: RealPool, shop: WatchedServer) -> None:
    """Two hundred refusals at once are answered, and the page's own script runs."""
    frames = "".join(f"<iframe src='{shop.elsewhere(f'/{number}')}'></iframe>" for number in range(200))
    shop.replies["/"] = html(frames + "<h1>here</h1>")
    async with shared.pool.lease(local_platform()) as lease:
        await goto_loaded(lease, shop.shop(), 10)
        assert await lease.page.evaluate("document.querySelector('h1').textContent") == "here"
    assert shop.hosts() == {"127.0.0.1"}
