"""The cookies that a fresh context holds before its first visit. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pagemill.config.hosts import HostRule
from pagemill.config.platform import Platform
from pagemill.config.visitor.storage_state import StorageState


def preset_cookies(platform: Platform, state: StorageState | None) -> list[dict[str, Any]]:
    """The cookies, in the form of Playwright's `add_cookies`.

    `visitor.cookies` are set for each of the platform's hosts, over http and https. Networks are left out, because a
    cookie cannot name them. The cookies of a storage state come first, so those of `visitor.cookies` replace them.
    """
    cookies: list[dict[str, Any]] = []
    for stored in () if state is None else state.cookies:
        left_out = set() if stored.partition_key is not None else {"partition_key", "is_embedded"}
        if stored.expires < 0:
            left_out.add("expires")
        cookies.append(stored.model_dump(by_alias=True, exclude=left_out))
    for rule in map(HostRule.parse, platform.hosts):
        if rule.network is not None:
            continue
        host = f"[{rule.host}]" if ":" in rule.host else rule.host
        for name, value in platform.visitor.cookies.items():
            domain = f".{host}" if rule.subdomains else host
            # Browsers accept names with these prefixes only for secure cookies.
            secure = name.startswith(("__Secure-", "__Host-"))
            cookies.append({"name": name, "value": value, "domain": domain, "path": "/", "secure": secure})
    return cookies


def for_chromium(cookies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same cookies, in the form of Chromium's own `Storage.setCookies`."""
    return [_for_chromium(dict(cookie)) for cookie in cookies]


def _for_chromium(cookie: dict[str, Any]) -> dict[str, Any]:
    site, is_embedded = cookie.pop("partitionKey", None), cookie.pop("_crHasCrossSiteAncestor", True)
    if site is None:
        return cookie
    return {**cookie, "partitionKey": {"topLevelSite": site, "hasCrossSiteAncestor": is_embedded}}
