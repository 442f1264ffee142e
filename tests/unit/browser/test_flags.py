"""Launch arguments: tables, without a browser."""

from __future__ import annotations

import pytest

from pagemill.browser.flags import ALWAYS, LaunchOptions, Machine, launch_options, shm_needed_mb
from pagemill.config.settings import BrowserSettings

BIG = Machine(shm_total_mb=24_000, can_sandbox=True)


def options(machine: Machine = BIG, lanes: int = 4, **settings: object) -> LaunchOptions:
    """Options for images and fonts blocked."""
    return launch_options(BrowserSettings.model_validate(settings), machine, lanes, frozenset(("image", "font")))


def test_every_flag_has_a_reason() -> None:
    """A flag without a why is not passed."""
    assert all(flag.startswith("--") and len(why) > 10 for flag, why in ALWAYS)


@pytest.mark.parametrize(
    ("shm_mb", "lanes", "setting", "used"),
    [
        (64, 4, "auto", False),
        (1023, 4, "auto", False),
        (1024, 4, "auto", True),
        (1024, 5, "auto", False),
        (2048, 8, "auto", True),
        (2048, 9, "auto", False),
        (4096, 9, "auto", True),
        (64, 4, True, True),
        (24_000, 1, False, False),
    ],
)
def test_dev_shm_is_used_when_it_is_large_enough(shm_mb: int, lanes: int, setting: object, used: bool) -> None:
    """Playwright's flag is taken away only then."""
    chosen = options(Machine(shm_mb, can_sandbox=True), lanes, dev_shm=setting)
    assert chosen.uses_dev_shm is used
    assert ("--disable-dev-shm-usage" in chosen.ignore_default_args) is used


def test_lanes_and_shm_follow_the_table() -> None:
    """1 GB up to 4 lanes, 2 GB up to 8, 4 GB above."""
    assert [shm_needed_mb(lanes) for lanes in (1, 4, 5, 8, 9, 64)] == [1024, 1024, 2048, 2048, 4096, 4096]


def test_the_zygote_stays_unless_asked_otherwise() -> None:
    """--no-zygote costs a third of the throughput."""
    assert "--no-zygote" not in options().args
    assert "--no-zygote" in options(zygote=False).args


def test_the_sandbox_follows_the_kernel_unless_set() -> None:
    """On where it is possible, off where not, and as the user says otherwise."""
    assert options().sandbox
    assert not options(Machine(24_000, can_sandbox=False)).sandbox
    assert not options(sandbox=False).sandbox


def test_only_what_is_blocked_gets_its_flag() -> None:
    """A platform that wants images gets them."""
    nothing = launch_options(BrowserSettings(), BIG, 4, frozenset())
    assert not any("imagesEnabled" in arg or "remote-fonts" in arg for arg in nothing.args)
    assert any("imagesEnabled=false" in arg for arg in options().args)
    assert "--disable-remote-fonts" in options().args


def test_a_users_own_arguments_come_last() -> None:
    """Chromium lets the last one win."""
    assert options(extra_args=["--lang=ko"]).args[-1] == "--lang=ko"


def test_webrtc_is_kept_to_proxies_where_there_are_some() -> None:
    """And left alone where there are none."""
    machine = Machine(shm_total_mb=64, can_sandbox=False)
    flag = "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"
    assert flag in launch_options(BrowserSettings(), machine, 1, (), proxied=True).args
    assert flag not in launch_options(BrowserSettings(), machine, 1, ()).args
