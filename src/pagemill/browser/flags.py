"""Which arguments Chromium is launched with, and why. Pure: the machine's facts come in, arguments go out.

Playwright adds arguments of its own (`--headless`, `--disable-extensions`, ...). Where Chromium takes a switch only
once and Playwright passes it too (`--blink-settings`), ours repeats what Playwright says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pagemill.config.section import ResourceKind
from pagemill.config.settings import BrowserSettings

ALWAYS: tuple[tuple[str, str], ...] = (
    ("--disable-blink-features=AutomationControlled", "navigator.webdriver stays false, as for a person"),
    ("--disable-gpu", "no GPU here: its process would only cost memory"),
    ("--disable-software-rasterizer", "nor a software stand-in for one"),
    ("--disable-extensions", "no extension is ever used"),
    ("--disable-background-networking", "no traffic but the shop's"),
    ("--disable-default-apps", "nothing is installed into a fresh profile"),
    ("--no-first-run", "no first-run tasks in a fresh profile"),
    ("--block-new-web-contents", "window.open fails: a pop-up can neither stall a lane nor stay open"),
    ("--autoplay-policy=user-gesture-required", "no video starts by itself"),
    ("--deny-permission-prompts", "a permission prompt is answered with no, at once"),
)
"""Flags that are always passed, each with its reason."""

_YOUNG_GENERATION = "--max-semi-space-size=2"
"""V8's own default is 16 MB, which a page fills with garbage without getting faster: 40 MB less at 4 lanes."""

_HOVER = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
"""What Playwright puts into --blink-settings when headless."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the flags depend on. `shm_total_mb` is the size of /dev/shm, 0 where there is none."""

    shm_total_mb: int
    can_sandbox: bool


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What a launcher is to tell Chromium; `ignore_default_args` is for Playwright's, which says more by itself."""

    args: tuple[str, ...]
    ignore_default_args: tuple[str, ...]
    sandbox: bool
    uses_dev_shm: bool


def shm_needed_mb(lanes: int) -> int:
    """How large /dev/shm should be for so many lanes: 1 GB up to 4, 2 GB up to 8, else 4 GB."""
    if lanes <= 4:
        return 1024
    return 2048 if lanes <= 8 else 4096


def launch_options(
    settings: BrowserSettings,
    machine: Machine,
    lanes: int,
    block: Collection[ResourceKind],
    js_heap_limit_mb: int | None = None,
    *,
    proxied: bool = False,
) -> LaunchOptions:
    """Arguments for a browser that serves so many lanes and never loads the blocked kinds of resource.

    A page whose JavaScript takes more than `js_heap_limit_mb` crashes by itself, and no other with it. `proxied` says
    whether some contexts have proxies.
    """
    args = [flag for flag, _why in ALWAYS]
    sandbox = machine.can_sandbox if settings.sandbox == "auto" else settings.sandbox
    if not sandbox:
        # Playwright itself adds --no-sandbox when its sandbox is off.
        args.append("--disable-setuid-sandbox")
    if proxied:
        # Else a page's WebRTC goes past its proxy and shows the shop this machine's address (Chromium 156).
        args.append("--force-webrtc-ip-handling-policy=disable_non_proxied_udp")
    if not settings.zygote:
        # Costs a third of the throughput and saves no memory; it also rules the sandbox out.
        args.append("--no-zygote")
    js_flags = [_YOUNG_GENERATION]
    if js_heap_limit_mb is not None:
        js_flags.append(f"--max-old-space-size={js_heap_limit_mb}")
    args.append(f"--js-flags={' '.join(js_flags)}")
    if "image" in block:
        args.append(f"--blink-settings=imagesEnabled=false,{_HOVER}")
    if "font" in block:
        args.append("--disable-remote-fonts")
    uses_dev_shm = machine.shm_total_mb >= shm_needed_mb(lanes) if settings.dev_shm == "auto" else settings.dev_shm
    # Playwright always passes both. Without scrollbars pages take 5 % more CPU time and memory (Chromium 156); without
    # the other flag Chromium's scratch memory lives in /dev/shm instead of /tmp.
    ignored = ("--hide-scrollbars", *(("--disable-dev-shm-usage",) if uses_dev_shm else ()))
    return LaunchOptions((*args, *settings.extra_args), ignored, sandbox, uses_dev_shm)
