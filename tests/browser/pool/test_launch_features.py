"""What Chromium makes of the switches: it takes only the last of those that turn features on or off, so whoever
adds one repeats the others; and which processes there are."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from pagemill.browser.flags import DISABLED, ENABLED
from pagemill.browser.process_group import command_line
from tests.browser.pool.real_pool import local_platform, real_pool
from tests.browser.pool.watched_server import WatchedServer

pytestmark = pytest.mark.browser


async def test_the_last_switch_has_what_all_others_have(executable: Path, temporary: Path, opener_kind: str) -> None:
    """Playwright's own features go on being switched, those of a new version too; and ours, and the user's."""
    extra = ["--enable-features=UsersOwn", "--disable-features=UsersOther"]
    async with real_pool(executable, temporary, kind=opener_kind, extra_args=extra) as real:
        arguments = command_line(real.browser.pid)
    for switch, known, own in (
        ("--enable-features=", ENABLED, "UsersOwn"),
        ("--disable-features=", DISABLED, "UsersOther"),
    ):
        said = [set(arg.removeprefix(switch).split(",")) for arg in arguments if arg.startswith(switch)]
        assert len(said) == (1 if opener_kind == "cdp" else 2)
        assert said[-1] >= {*(feature for feature, _why in known), own}.union(*said)


_LOADED = "async () => { while (document.readyState !== 'complete') await new Promise((on) => setTimeout(on, 10)); }"


async def test_a_browser_is_one_process_a_zygote_and_its_pages(
    executable: Path, temporary: Path, opener_kind: str, server: WatchedServer
) -> None:
    """What a page asks for goes through the browser itself, and so does what is drawn of it."""
    platform = local_platform(10, 50)
    async with real_pool(executable, temporary, kind=opener_kind) as real, real.pool.lease(platform) as lease:
        await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=5000)
        await lease.page.evaluate(_LOADED)
        assert await lease.page.screenshot(type="jpeg", quality=50, timeout=5000)
        browser = psutil.Process(real.browser.pid)
        kinds = [kind for process in browser.children(recursive=True) if (kind := _kind(process.pid))]
    assert sorted(kinds) == ["renderer", "zygote"]


def _kind(pid: int) -> str:
    """Empty for what is no process of Chromium's kinds, or has ended."""
    return next((arg.removeprefix("--type=") for arg in command_line(pid) if arg.startswith("--type=")), "")
