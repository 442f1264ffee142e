"""What a request says so that the shop is asked, and Chromium's cache steps aside. Pure.

Chromium takes no stored answer for a request with `Cache-Control: no-cache`, however long the shop allows it. Set where
the request is paused, the header stands behind the page's own rules: other origins are not asked in a preflight whether
they allow it, and no script sees it. Overridden headers are sent in the order they are given, and Chromium's own
order is one of the things by which shops tell browsers from programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STORED = frozenset({"GET", "HEAD"})
"""The methods whose answers are kept."""
_CHROMIUMS_ORDER = (
    "cache-control",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "upgrade-insecure-requests",
    "user-agent",
    "content-type",
    "origin",
    "",  # whatever else there is
    "accept",
    "referer",
    "accept-language",
)
_RANKS = {name: rank for rank, name in enumerate(_CHROMIUMS_ORDER)}


def fresh_headers(request: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The headers with which a paused request is asked of the shop; `None` where it is anyway.

    Args:
        request: as Chromium's `Fetch.requestPaused` tells it.
    """
    headers: Mapping[str, str] = request["headers"]
    names = {name.lower(): name for name in headers}
    if request["method"] not in _STORED or "no-cache" in headers.get(names.get("cache-control", ""), ""):
        return None
    # Chromium adds the cookies where they belong, and as they are when the request leaves.
    kept = {name: headers[names[name]] for name in names if name not in ("cookie", "cache-control")}
    kept["cache-control"] = "no-cache"
    names["cache-control"] = "Cache-Control"
    in_order = sorted(kept, key=lambda name: _RANKS.get(name, _RANKS[""]))
    return [{"name": names[name], "value": kept[name]} for name in in_order]
