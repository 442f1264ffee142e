"""The cookies that a fresh context holds before its first visit. Pure."""

from __future__ import annotations

from typing import Any

from pagemill.config.hosts import HostRule
from pagemill.config.platform import Platform
from pagemill.config.storage_state import StorageState


def preset_cookies(platform: Platform, state: StorageState | None) -> list[dict[str, Any]]:
    """The cookies, as both Playwright's `add_cookies` and Chromium's `Storage.setCookies` take them.

    Those of `visitor.cookies` are set for each of the platform's hosts, over http and https, but for networks, which no
    cookie can name; they beat those of a storage state, which come first.
    """
    cookies: list[dict[str, Any]] = []
    for stored in () if state is None else state.cookies:
        cookie = stored.model_dump(by_alias=True)
        if stored.expires < 0:
            del cookie["expires"]
        cookies.append(cookie)
    for rule in map(HostRule.parse, platform.hosts):
        if rule.network is not None:
            continue
        host = f"[{rule.host}]" if ":" in rule.host else rule.host
        for name, value in platform.visitor.cookies.items():
            domain = f".{host}" if rule.subdomains else host
            # Names with these prefixes are taken for secure cookies only.
            secure = name.startswith(("__Secure-", "__Host-"))
            cookies.append({"name": name, "value": value, "domain": domain, "path": "/", "secure": secure})
    return cookies
