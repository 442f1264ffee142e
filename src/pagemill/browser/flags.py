"""Which arguments Chromium is launched with, and why. Pure: takes facts of the machine, returns arguments.

Playwright adds arguments of its own (`--headless`, `--disable-extensions`, ...). Chromium uses only the last one of
some switches. If Playwright passes such a switch too (`--blink-settings`), ours repeats what Playwright says. Features
that are switched on or off, by whomever, are merged in `LaunchOptions.switches`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pagemill.browser.address_spaces import mapped_to, overrides
from pagemill.config.child_environment import PROXIES
from pagemill.config.section import ResourceKind
from pagemill.config.settings import BrowserSettings

_ENABLE, _DISABLE, _SPACES = "--enable-features=", "--disable-features=", "--ip-address-space-overrides="
_NO_UDP = "webrtc-ip-handling-policy=disable_non_proxied_udp"

ALWAYS: tuple[tuple[str, str], ...] = (
    ("--disable-blink-features=AutomationControlled", "navigator.webdriver stays false, as for a person"),
    ("--disable-gpu", "no GPU here: its process would only cost memory"),
    ("--disable-software-rasterizer", "nor a software stand-in for one"),
    ("--in-process-gpu", "what is left of it is a thread of the browser: a process of 6 MB less"),
    ("--no-unsandboxed-zygote", "then nothing needs the second zygote: 5 MB less"),
    ("--disable-extensions", "no extension is ever used"),
    ("--disable-background-networking", "no traffic but the shop's"),
    ("--disable-default-apps", "nothing is installed into a fresh profile"),
    ("--no-first-run", "no first-run tasks in a fresh profile"),
    ("--block-new-web-contents", "window.open fails: a pop-up can neither stall a lane nor stay open"),
    ("--autoplay-policy=user-gesture-required", "no video starts by itself"),
    ("--deny-permission-prompts", "a permission prompt is answered with no, at once"),
    (f"--force-{_NO_UDP}", "WebRTC tells no page this machine's addresses, and nothing goes past a proxy"),
    (f"--{_NO_UDP}", "the same for a whole Chromium: the other one is a headless shell's"),
)
"""Flags that are always passed, each with its reason."""

ENABLED: tuple[tuple[str, str], ...] = (
    ("LocalNetworkAccessChecks", "no page reaches private addresses; see `address_spaces`"),
    ("LocalNetworkAccessChecksWebSockets", "nor by WebSocket"),
    ("LocalNetworkAccessChecksWebTransport", "nor by WebTransport"),
    ("LocalNetworkAccessChecksWebRTC", "nor by WebRTC over TCP"),
    ("NetworkServiceInProcess2", "the network is the browser's own: a process of 10 MB less, and one less to wake"),
    (
        "PrefetchMultipleActiveSetSizeLimitForBase:prefetch_multiple_active_set_size_limit_for_base_value/0",
        "speculation rules load nothing ahead: nobody sees those requests, wherever they go (Chromium 156)",
    ),
)
"""Chromium's features that are switched on, each with its reason."""

DISABLED: tuple[tuple[str, str], ...] = (
    ("Prerender2FallbackPrefetchSpecRules", "else what is to be prerendered is loaded ahead past that limit"),
    ("Reporting", "a whole Chromium itself sends reports wherever a page says"),
    ("FedCm", "the browser itself asks the host that a page calls its identity provider"),
    ("WebPaymentsJustInTimePaymentApp", "likewise the host that it calls its payment method"),
)
"""Chromium's features that are switched off, each with its reason."""

_LEAD_ELSEWHERE = (
    "--proxy-server",
    "--proxy-pac-url",
    "--proxy-auto-detect",
    "--host-resolver-rules",
    "--host-rules",
)
"""With one of these in `browser.extra_args`, names may lead elsewhere than this machine's resolver says."""

_YOUNG_GENERATION = "--max-semi-space-size=2"
"""In MB. V8's default is 16, which pages fill with garbage without getting faster: this saves 40 MB at 4 lanes."""

_HOVER = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
"""What Playwright puts into `--blink-settings` for a headless browser."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the flags depend on. `shm_total_mb` is the size of /dev/shm, 0 if there is none."""

    shm_total_mb: int
    can_sandbox: bool


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What a launcher passes to Chromium. `ignore_default_args` is for Playwright, which adds arguments by itself.

    `looks_names_up` says whether this machine's resolver must be asked for the addresses of names.
    """

    args: tuple[str, ...]
    ignore_default_args: tuple[str, ...]
    sandbox: bool
    uses_dev_shm: bool
    enabled: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    looks_names_up: bool = True

    def switches(self, enabled: Sequence[str] = (), disabled: Sequence[str] = ()) -> list[str]:
        """All arguments, with the launcher's own features merged in: Chromium uses only the last of such switches."""
        on, off = dict.fromkeys((*enabled, *self.enabled)), dict.fromkeys((*disabled, *self.disabled))
        return [*self.args, f"{_ENABLE}{','.join(on)}", f"{_DISABLE}{','.join(off)}"]


def shm_needed_mb(lanes: int) -> int:
    """How large /dev/shm should be for that many lanes: 1 GB up to 4, 2 GB up to 8, else 4 GB."""
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
    hosts: Collection[str] = (),
    environ: Mapping[str, str] = os.environ,
) -> LaunchOptions:
    """Arguments for a browser that serves that many lanes and never loads the blocked kinds of resource.

    A page whose JavaScript heap exceeds `js_heap_limit_mb` crashes alone. `hosts` are the hosts of all platforms that
    the browser serves. `environ` is the environment that it inherits.
    """
    args = [flag for flag, _why in ALWAYS]
    sandbox = machine.can_sandbox if settings.sandbox == "auto" else settings.sandbox
    if not sandbox:
        # Playwright itself adds --no-sandbox when its sandbox is off.
        args.append("--disable-setuid-sandbox")
    if not settings.zygote:
        # No zygote costs a third of the throughput, saves no memory, and rules the sandbox out.
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
    # Playwright always passes these. Without scrollbars pages take 5 % more CPU time and memory (Chromium 156). A whole
    # Chromium does not know --block-new-web-contents, and its pop-ups would get past the firewall. Without the last
    # flag, Chromium's scratch memory is in /dev/shm and not in /tmp.
    ignored = ("--hide-scrollbars", "--disable-popup-blocking", *(("--disable-dev-shm-usage",) if uses_dev_shm else ()))
    extra = settings.extra_args
    mapped = [target for rules in _values(extra, "--host-resolver-rules=") for target in mapped_to(rules)]
    spaces = [*_values(extra, _SPACES), *overrides([*hosts, *mapped])]  # of two for one address, the first one counts
    if spaces:
        args.append(f"{_SPACES}{','.join(spaces)}")
    on, off = _features(extra, _ENABLE), _features(extra, _DISABLE)
    return LaunchOptions(
        (*args, *(arg for arg in extra if not arg.startswith((_ENABLE, _DISABLE, _SPACES)))),
        ignored,
        sandbox,
        uses_dev_shm,
        enabled=(*(feature for feature, _why in ENABLED if _name(feature) not in map(_name, off)), *on),
        disabled=(*(feature for feature, _why in DISABLED if _name(feature) not in map(_name, on)), *off),
        looks_names_up=looks_names_up(settings, environ),
    )


def looks_names_up(settings: BrowserSettings, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether Chromium finds the addresses of names as this machine's resolver does: no proxy or switch interferes."""
    proxied = any(value and name.lower() in PROXIES and name.lower() != "no_proxy" for name, value in environ.items())
    return not proxied and not any(arg.startswith(_LEAD_ELSEWHERE) for arg in settings.extra_args)


def _values(args: Sequence[str], switch: str) -> list[str]:
    return [arg.removeprefix(switch) for arg in args if arg.startswith(switch)]


def _features(args: Sequence[str], switch: str) -> list[str]:
    return [feature for text in _values(args, switch) for feature in text.split(",") if feature]


def _name(feature: str) -> str:
    """The name of a feature, without its parameters."""
    return feature.partition(":")[0]
