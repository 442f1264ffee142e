"""How a visitor looks to a page: window, device, language and place, in Chromium's and in Playwright's terms. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pagemill.browser.visitor.client_hints import client_hints, navigator_platform
from pagemill.config.visitor.visitor import Visitor

if TYPE_CHECKING:
    from playwright.async_api import ViewportSize


class Appearance:
    """The looks of one visitor."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._device = visitor.known_device
        window = visitor.window
        self.window: ViewportSize = {"width": window.width, "height": window.height}
        self._screen = self.window
        if self._device is not None:
            self._screen = {"width": self._device.screen_width, "height": self._device.screen_height}

    @property
    def metrics(self) -> dict[str, Any] | None:
        """Parameters of `Emulation.setDeviceMetricsOverride`; `None` if the window's size is enough."""
        if self._device is None:
            return None
        sideways = self._screen["width"] > self._screen["height"]
        upright = self._device.mobile and not sideways
        return {
            **self.window,
            "screenWidth": self._screen["width"],
            "screenHeight": self._screen["height"],
            "deviceScaleFactor": self._device.scale,
            "mobile": self._device.mobile,
            "screenOrientation": {
                "angle": 90 if self._device.mobile and sideways else 0,
                "type": "portraitPrimary" if upright else "landscapePrimary",
            },
        }

    @property
    def agent_override(self) -> dict[str, Any] | None:
        """Parameters of `Emulation.setUserAgentOverride`, with client hints that fit the user agent."""
        agent, locale = self._visitor.agent, self._visitor.locale
        if agent is None and locale is None:
            return None
        override: dict[str, Any] = {"userAgent": agent or "", "acceptLanguage": locale or ""}
        if agent is not None:
            mobile = self._device.mobile if self._device is not None else "Mobile" in agent
            override["platform"] = navigator_platform(agent)
            if (hints := client_hints(agent, mobile=mobile)) is not None:
                override["userAgentMetadata"] = hints
        return override

    def commands(self) -> list[tuple[str, dict[str, Any]]]:
        """The commands of Chromium's protocol for a page without Playwright's driver."""
        visitor, said = self._visitor, []
        if (metrics := self.metrics) is not None:
            said.append(("Emulation.setDeviceMetricsOverride", metrics))
        if self._device is not None and self._device.touch:
            said.append(("Emulation.setTouchEmulationEnabled", {"enabled": True}))
        if (override := self.agent_override) is not None:
            said.append(("Emulation.setUserAgentOverride", override))
        if visitor.locale is not None:
            said.append(("Emulation.setLocaleOverride", {"locale": visitor.locale}))
        if visitor.time_zone is not None:
            said.append(("Emulation.setTimezoneOverride", {"timezoneId": visitor.time_zone}))
        if (place := visitor.geolocation) is not None:
            said.append(("Emulation.setGeolocationOverride", place.model_dump()))
        return said

    def context_options(self) -> dict[str, Any]:
        """The options for Playwright's `new_context`. `agent_override` corrects the client hints that it makes up."""
        visitor, place = self._visitor, self._visitor.geolocation
        options: dict[str, Any] = {
            "viewport": self.window,
            "user_agent": visitor.agent,
            "locale": visitor.locale,
            "timezone_id": visitor.time_zone,
        }
        if self._device is not None:
            options |= {
                "screen": self._screen,
                "device_scale_factor": self._device.scale,
                "is_mobile": self._device.mobile,
                "has_touch": self._device.touch,
            }
        if place is not None:
            options |= {"geolocation": place.model_dump(), "permissions": ["geolocation"]}
        return options
