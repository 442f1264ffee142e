"""The registry of devices that is read from Playwright's package is the one that its driver has."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright

from pagemill.config.visitor.devices import read_devices


@pytest.mark.browser
@pytest.mark.asyncio
async def test_every_device_of_the_driver_is_known_as_it_is() -> None:
    """Names, windows, scale, touch and user agents; screens but for the way they are held."""
    async with async_playwright() as playwright:
        theirs = dict(playwright.devices)
    ours = read_devices()
    assert len(ours) > 100
    assert ours.keys() == theirs.keys()
    for name, device in ours.items():
        their = theirs[name]
        assert (device.user_agent, device.mobile, device.touch) == (
            their["user_agent"],
            their["is_mobile"],
            their["has_touch"],
        )
        assert (device.width, device.height) == (their["viewport"]["width"], their["viewport"]["height"])
        assert device.scale == their["device_scale_factor"]
        screen = their.get("screen", their["viewport"])
        assert {device.screen_width, device.screen_height} == {screen["width"], screen["height"]}
