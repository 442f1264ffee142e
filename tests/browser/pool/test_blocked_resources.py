"""Images, fonts and media are not loaded, by launch flags where there is one and by the firewall otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from pagemill.browser.pool import BrowserPool
from tests.browser.pool.real_pool import BY_FLAGS, RealPool, local_platform, real_pool, until
from tests.browser.pool.watched_server import Reply, WatchedServer, html

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

_KINDS = {
    "image": "<img src=/image><div style='background: url(/image); height: 9px'></div>"
    "<svg><image href=/image width=9 height=9 /></svg><script>new Image().src = '/image'</script>",
    "media": "<video src=/media autoplay muted></video><audio src=/media preload=auto></audio>"
    "<video preload=auto><source src=/media type=video/mp4></video>",
    "font": "<style>@font-face {font-family: f; src: url(/font)} p {font-family: f}</style><p>text</p>",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def unflagged(
    executable: Path, opener_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RealPool]:
    """A pool whose browser has no flag against any resource."""
    with pytest.MonkeyPatch.context() as patch:
        temporary = tmp_path_factory.mktemp("unflagged")
        patch.setenv("TMPDIR", str(temporary))
        async with real_pool(executable, temporary, by_flags=frozenset(), kind=opener_kind) as real:
            yield real


async def _asked(pool: BrowserPool, shop: WatchedServer, block: list[str]) -> set[str]:
    """Which kinds a page asks the shop for; its own script's request tells that it was read to the end."""
    last = "<script>addEventListener('load', () => setTimeout(() => fetch('/last'), 100))</script>"
    shop.replies["/"] = html("".join(_KINDS.values()) + last)
    shop.replies["/image"] = Reply(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    platform = local_platform(navigation={"block": block}, name="-".join(["block", *block]))
    async with pool.lease(platform) as lease:
        await lease.page.goto(shop.shop(), wait_until="commit", timeout=5000)
        assert await until(lambda: "/last" in shop.paths())
        await asyncio.sleep(0.1)
        assert lease.refusal is None
    return {path.removeprefix("/") for path in shop.paths()} & _KINDS.keys()


async def test_nothing_blocked_means_everything_loaded(unflagged: RealPool, shop: WatchedServer) -> None:
    """The control of the tests below."""
    assert await _asked(unflagged.pool, shop, []) == {"image", "media", "font"}


async def test_the_firewall_blocks_what_no_flag_does(unflagged: RealPool, shop: WatchedServer) -> None:
    """All three kinds, when platforms disagree and so no flag may be passed."""
    assert await _asked(unflagged.pool, shop, ["image", "media", "font"]) == set()


@pytest.mark.parametrize("kind", sorted(_KINDS))
async def test_the_firewall_blocks_one_kind_alone(unflagged: RealPool, shop: WatchedServer, kind: str) -> None:
    """The other kinds of the same platform are loaded."""
    assert await _asked(unflagged.pool, shop, [kind]) == _KINDS.keys() - {kind}


async def test_flags_block_images_and_fonts(shared: RealPool, shop: WatchedServer) -> None:
    """Even where the firewall was told of nothing to block."""
    assert await _asked(shared.pool, shop, []) == _KINDS.keys() - BY_FLAGS


async def test_flags_and_firewall_together_block_all(shared: RealPool, shop: WatchedServer) -> None:
    """What production does for a platform with the default settings."""
    assert await _asked(shared.pool, shop, ["image", "media", "font"]) == set()
