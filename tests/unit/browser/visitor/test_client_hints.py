"""Client hints say the same as the user agent that they go with."""

from __future__ import annotations

import pytest

from pagemill.browser.visitor.client_hints import client_hints, navigator_platform

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = {
    f"Mozilla/5.0 (Linux; Android 14; Pixel 7) {_KIT} Chrome/150.0.1.2 Mobile Safari/537.36": (
        "Linux armv81",
        ("Android", "14", "Pixel 7", True, ["Chromium", "Google Chrome"]),
    ),
    f"Mozilla/5.0 (Linux; Android 7.1.1; SM-T350 Build/NMF26X) {_KIT} Chrome/150.0.1.2 Safari/537.36": (
        "Linux armv81",
        ("Android", "7.1.1", "", False, ["Chromium", "Google Chrome"]),
    ),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Chrome/150.0.1.2 Safari/537.36 Edg/149.0.3.4": (
        "Win32",
        ("Windows", "10.0.0", "", False, ["Chromium", "Microsoft Edge"]),
    ),
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_KIT} Chrome/150.0.1.2 Safari/537.36": (
        "MacIntel",
        ("macOS", "10.15.7", "", False, ["Chromium", "Google Chrome"]),
    ),
    f"Mozilla/5.0 (X11; Linux x86_64) {_KIT} Chrome/150.0.1.2 Safari/537.36": (
        "Linux x86_64",
        ("Linux", "", "", False, ["Chromium", "Google Chrome"]),
    ),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_KIT} Version/17.5 Mobile/15E148 Safari/604.1": (
        "iPhone",
        None,
    ),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_KIT} CriOS/150.0.1.2 Mobile/15E148 Safari/604.1": (
        "iPhone",
        None,
    ),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0": ("Win32", None),
    "Mine/1.0": ("Linux x86_64", None),
}


@pytest.mark.parametrize(("agent", "expected"), AGENTS.items(), ids=[agent[:60] for agent in AGENTS])
def test_hints_go_with_the_user_agent(agent: str, expected: tuple[str, tuple[object, ...] | None]) -> None:
    """Platform, model and brands; none for browsers that send none."""
    platform, wanted = expected
    assert navigator_platform(agent) == platform
    hints = client_hints(agent, mobile="Mobile" in agent)
    if wanted is None:
        assert hints is None
        return
    assert hints is not None
    brands = [brand["brand"] for brand in hints["brands"][1:]]
    said = (hints["platform"], hints["platformVersion"], hints["model"], hints["mobile"], brands)
    assert said == wanted
