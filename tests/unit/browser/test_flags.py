"""Launch arguments: tables, without a browser."""

from __future__ import annotations

import pytest

from pagemill.browser.flags import ALWAYS, DISABLED, ENABLED, LaunchOptions, Machine, launch_options, shm_needed_mb
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


def test_nothing_but_pages_has_a_process_of_its_own() -> None:
    """Each would take memory, and be woken for each visit; whoever wants the network apart says so."""
    assert {"--in-process-gpu", "--no-unsandboxed-zygote"} <= set(options().args)
    assert "NetworkServiceInProcess2" in _features(options(), "--enable-features=")
    apart = options(extra_args=["--disable-features=NetworkServiceInProcess2"])
    assert "NetworkServiceInProcess2" not in _features(apart, "--enable-features=")


def test_only_what_is_blocked_gets_its_flag() -> None:
    """A platform that wants images gets them."""
    nothing = launch_options(BrowserSettings(), BIG, 4, frozenset())
    assert not any("imagesEnabled" in arg or "remote-fonts" in arg for arg in nothing.args)
    assert any("imagesEnabled=false" in arg for arg in options().args)
    assert "--disable-remote-fonts" in options().args


def test_a_users_own_arguments_come_last() -> None:
    """Chromium lets the last one win."""
    assert options(extra_args=["--lang=ko"]).args[-1] == "--lang=ko"


def test_webrtc_is_kept_to_proxies() -> None:
    """Also where there are none: it goes nowhere then. Headless shells and whole Chromiums read different flags."""
    policy = "webrtc-ip-handling-policy=disable_non_proxied_udp"
    assert {f"--{policy}", f"--force-{policy}"} <= set(options().args)


def _features(chosen: LaunchOptions, switch: str) -> list[str]:
    """Of the one such switch that a launcher passes, whose own feature is `Its`."""
    [text] = [arg for arg in chosen.switches(["Its"], ["Its"]) if arg.startswith(switch)]
    return text.removeprefix(switch).split(",")


def test_features_are_switched_by_one_switch_each() -> None:
    """Chromium takes the last one: the launcher's, ours and the user's stand in it."""
    chosen = options(extra_args=["--enable-features=Users,More", "--lang=ko", "--disable-features=Not"])
    for switch, known, own in (
        ("--enable-features=", ENABLED, ["Users", "More"]),
        ("--disable-features=", DISABLED, ["Not"]),
    ):
        assert _features(chosen, switch) == ["Its", *(feature for feature, _why in known), *own]
        assert all(len(why) > 10 for _feature, why in known)


def test_a_user_has_the_last_word_on_features() -> None:
    """Whatever parameters they have."""
    off, on = ENABLED[-1][0].partition(":")[0], DISABLED[0][0]
    chosen = options(extra_args=[f"--disable-features={off}", f"--enable-features={on}"])
    assert not any(feature.startswith(off) for feature in _features(chosen, "--enable-features="))
    assert on not in _features(chosen, "--disable-features=")


@pytest.mark.parametrize(
    ("extra", "environ", "ours"),
    [
        ([], {}, True),
        (["--lang=ko"], {"PATH": "/bin", "no_proxy": "localhost", "http_proxy": ""}, True),
        ([], {"HTTPS_PROXY": "http://10.0.0.1:3128"}, False),
        ([], {"all_proxy": "socks5://10.0.0.1"}, False),
        (["--proxy-server=10.0.0.1:3128"], {}, False),
        (["--host-resolver-rules=MAP * 127.0.0.1"], {}, False),
    ],
)
def test_names_are_looked_up_where_chromium_looks_them_up(
    extra: list[str], environ: dict[str, str], ours: bool
) -> None:
    """Behind a proxy, or where a switch says where names lead, this machine's resolver knows nothing."""
    settings = BrowserSettings(extra_args=tuple(extra))
    assert launch_options(settings, BIG, 1, (), environ=environ).looks_names_up is ours


def test_addresses_that_are_listed_count_as_public() -> None:
    """Those of `hosts`, and those that the user's rules map names to; what the user says of addresses comes first."""
    extra = ("--host-resolver-rules=MAP shop.test 127.0.0.5:81", "--ip-address-space-overrides=10.0.0.1/32=local")
    chosen = launch_options(BrowserSettings(extra_args=extra), BIG, 1, (), hosts=["shop.test", "127.0.0.1"])
    [spaces] = [arg for arg in chosen.args if arg.startswith("--ip-address-space-overrides=")]
    assert spaces.partition("=")[2] == "10.0.0.1/32=local,127.0.0.1/32=public,127.0.0.5:81=public"
    assert not any("overrides" in arg for arg in options().args)
