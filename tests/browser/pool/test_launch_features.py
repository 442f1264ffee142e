"""Chromium takes only the last of the switches that turn features on or off: whoever adds one repeats the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.browser.flags import DISABLED, ENABLED
from pagemill.browser.process_group import command_line
from tests.browser.pool.real_pool import real_pool

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
