"""What a browser says of itself besides its user agent: client hints and `navigator.platform`. Pure.

Chromium's own hints would contradict another browser's user agent (`HeadlessChrome` beside an iPhone). So the hints of
a Chrome are made from its user agent; other browsers send none (wicg.github.io/ua-client-hints).
"""

from __future__ import annotations

import re
from typing import Any

_CHROME = re.compile(r"\b(?:Chrome|CriOS)/((\d+)[\d.]*)")
_EDGE = re.compile(r"\bEdg/((\d+)[\d.]*)")
_ANDROID = re.compile(r"Android (\d+(?:\.\d+)*)(?:; ([^;)]+?)(?: Build/[^;)]*)?)?[;)]")
_MAC = re.compile(r"Mac OS X (\d+(?:[._]\d+)*)")
_WINDOWS = re.compile(r"Windows NT (\d+(?:\.\d+)*)")
_GREASE = ("Not:A-Brand", "8")
"""A made-up brand, so that nobody relies on the form of the list; as Chromium 156 writes it."""


def client_hints(agent: str, *, mobile: bool) -> dict[str, Any] | None:
    """The hints that fit a user agent, in the form of `Emulation.setUserAgentOverride`; `None` for a browser that sends
    none."""
    chrome = _CHROME.search(agent)
    if chrome is None or "iPhone" in agent or "iPad" in agent:  # every browser on iOS is a Safari
        return None
    versions = [("Chromium", chrome)]
    edge = _EDGE.search(agent)
    versions.append(("Google Chrome", chrome) if edge is None else ("Microsoft Edge", edge))
    named = [_GREASE, *((brand, found[2]) for brand, found in versions)]
    full = [(_GREASE[0], f"{_GREASE[1]}.0.0.0"), *((brand, found[1]) for brand, found in versions)]
    platform, version, model = _platform(agent)
    return {
        "brands": [{"brand": brand, "version": text} for brand, text in named],
        "fullVersionList": [{"brand": brand, "version": text} for brand, text in full],
        "fullVersion": chrome[1],
        "platform": platform,
        "platformVersion": version,
        "architecture": "" if platform == "Android" else "arm" if "ARM" in agent else "x86",
        "bitness": "" if platform == "Android" else "64",
        "model": model if mobile else "",
        "mobile": mobile,
        "wow64": False,
    }


def navigator_platform(agent: str) -> str:
    """The value of `navigator.platform` in a browser with that user agent."""
    for word in ("iPhone", "iPad"):
        if word in agent:
            return word
    return {"Android": "Linux armv81", "Windows": "Win32", "macOS": "MacIntel"}.get(_platform(agent)[0], "Linux x86_64")


def _platform(agent: str) -> tuple[str, str, str]:
    """The platform, its version, and the device's model."""
    if android := _ANDROID.search(agent):
        return "Android", android[1], android[2] or ""
    if windows := _WINDOWS.search(agent):
        return "Windows", f"{windows[1]}.0" if windows[1].count(".") == 1 else windows[1], ""
    if mac := _MAC.search(agent):
        return "macOS", mac[1].replace("_", "."), ""
    return "Linux", "", ""
