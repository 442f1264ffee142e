"""A page that shows a document of a host that is not listed, however it came by it, is known to have strayed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError

from pagemill.browser.lease import Lease
from tests.browser.pool.real_pool import RealPool, is_usable, local_platform, real_pool, until
from tests.browser.pool.watched_server import WatchedServer, html, moved

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_NOTHING_CAME_S = 0.3
"""How long something that must not happen is waited for; what may happen takes a tenth of it."""
_ELSEWHERE = "host localhost is not one of the platform's hosts"


async def _goto(lease: Lease, url: str) -> None:
    await lease.page.goto(url, wait_until="commit", timeout=5000)


_SHOWN = {
    "prefetch": '{{"prefetch": [{{"source": "list", "urls": ["{}"], "eagerness": "immediate"}}]}}',
    "prerender": '{{"prerender": [{{"source": "list", "urls": ["{}"], "eagerness": "immediate"}}]}}',
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def loading_ahead(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPool]:
    """A pool whose Chromium obeys speculation rules, as one does that does not know the feature which stops them."""
    obeying = [
        "--disable-features=PrefetchMultipleActiveSetSizeLimitForBase",
        "--enable-features=Prerender2FallbackPrefetchSpecRules",
    ]
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("ahead")
        patch.setenv("TMPDIR", str(temporary))
        async with real_pool(executable, temporary, kind=opener_kind, extra_args=obeying) as real:
            yield real


@pytest.mark.parametrize("by", _SHOWN)
async def test_another_hosts_document_that_was_loaded_ahead_is_not_believed(
    loading_ahead: RealPool, shop: WatchedServer, by: str
) -> None:
    """Speculation rules follow the shop's own redirect past every listener, and the page then shows where it led."""
    rules = _SHOWN[by].format(shop.shop("/moved"))
    shop.replies |= {
        "/": html(f"<script type=speculationrules>{rules}</script>"),
        "/moved": moved(shop.elsewhere()),
        "/elsewhere": html("<h1>elsewhere</h1>"),
    }
    platform = local_platform(name="drawn", navigation={"draw": "always"})  # a hidden page loads nothing ahead
    async with loading_ahead.pool.lease(platform) as lease:
        await _goto(lease, shop.shop())
        assert await until(lambda: "localhost" in shop.hosts())
        await asyncio.sleep(_NOTHING_CAME_S)  # until the answer has come, too
        assert lease.strayed is None
        await lease.page.evaluate(f"() => {{ location.href = '{shop.shop('/moved')}' }}")
        assert await until(lambda: lease.strayed == _ELSEWHERE or lease.refusal == _ELSEWHERE)
        assert lease.strayed == _ELSEWHERE
        lease.mark_bad("strayed")
    async with loading_ahead.pool.lease(platform) as lease:
        assert lease.strayed is None
        await _goto(lease, shop.shop("/usable"))
        assert lease.strayed is None


async def test_what_a_page_shows_of_its_own_hosts_is_no_straying(shared: RealPool, shop: WatchedServer) -> None:
    """Redirects, frames, a navigation within the document, one that failed, and one that was refused."""
    shop.replies |= {
        "/": moved("/good"),
        "/good": html("<h1>good</h1><iframe src='about:blank'></iframe><iframe srcdoc='x'></iframe>"),
    }
    async with shared.pool.lease(local_platform()) as lease:
        await _goto(lease, shop.shop())
        await lease.page.evaluate("() => { history.pushState(null, '', '/pushed'); location.hash = 'x' }")
        with pytest.raises(PlaywrightError):
            await _goto(lease, shop.elsewhere())
        with pytest.raises(PlaywrightError):
            await _goto(lease, "http://127.0.0.1:1/")
        await asyncio.sleep(_NOTHING_CAME_S)  # for Chromium's error page
        assert await is_usable(lease, shop)
        assert lease.strayed is None
