"""What the processes of a browser hold of the worker's environment, read from all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.pool.real_pool import group_members, local_platform, real_pool
from tests.browser.pool.watched_server import WatchedServer

SECRET = "hunter2-never-to-be-seen"
SECRETS = {
    "PAGEMILL_DATABASE_URL": f"postgresql://me:{SECRET}@db/pagemill",
    "PAGEMILL_REDIS_URL": f"redis://:{SECRET}@redis:6379/0",
    "PAGEMILL_API_SECRET": SECRET,
    "PAGEMILL_ALERT_URL_TEAM": f"https://hooks.test/{SECRET}",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "GOOGLE_API_KEY": SECRET,
    "PLAYWRIGHT_SERVICE_ACCESS_TOKEN": SECRET,
    "https_proxy": f"http://me:{SECRET}@proxy.test:3128",
    "UNKNOWN_TO_ALL": SECRET,
}


@pytest.fixture
def secrets(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's environment, full of what only the worker may know."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "Asia/Seoul")


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("kind", ["cdp", "playwright"])
async def test_no_process_of_a_browser_holds_a_secret(
    executable: Path, temporary: Path, server: WatchedServer, kind: str
) -> None:
    """Not the browser, its zygotes, renderers and utilities, nor Playwright's driver; what Chromium needs is there."""
    async with real_pool(executable, temporary, kind=kind) as real, real.pool.lease(local_platform()) as lease:
        await lease.page.goto(server.shop("/usable"), wait_until="commit", timeout=5000)
        commands = {pid: _command(pid) for pid in group_members(real.browser.group)}
        assert any("--type=renderer" in command for command in commands.values())
        assert real.driver.pid or kind == "cdp"
        held = {pid: _environment(pid) for pid in [*commands, *filter(None, [real.driver.pid])]}
        assert [(pid, _command(pid)) for pid, text in held.items() if SECRET in text] == []
        assert f"TMPDIR={temporary}" in held[real.browser.pid]
        assert "TZ=Asia/Seoul" in held[real.browser.pid]
        assert "https_proxy=http://proxy.test:3128" in held[real.browser.pid]


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except PermissionError:
        return ""  # a renderer in the sandbox shows it to root only


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")[:200]
    except OSError:
        return ""
