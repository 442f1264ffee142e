"""The header with which the shop is asked instead of Chromium's cache. Pure.

With `Cache-Control: no-cache`, Chromium uses no stored answer, however long the shop allows it to be kept. The header
is added while the request is paused, after the page's own rules are applied. So it causes no preflight request to other
origins, and no script sees it. Overridden headers are sent in the order given here; that has to be Chromium's own
order, because shops use it to tell browsers from programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_STORED = frozenset({"GET", "HEAD"})
"""Methods whose answers Chromium stores."""
_CHROMIUMS_ORDER = (
    "cache-control",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "upgrade-insecure-requests",
    "user-agent",
    "content-type",
    "origin",
    "",  # all other headers
    "accept",
    "referer",
    "accept-language",
)
_RANKS = {name: rank for rank, name in enumerate(_CHROMIUMS_ORDER)}


def fresh_headers(request: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The headers with which a paused request reaches the shop; `None` if it does so anyway.

    Args:
        request: from Chromium's `Fetch.requestPaused`.
    """
    headers: Mapping[str, str] = request["headers"]
    names = {name.lower(): name for name in headers}
    if request["method"] not in _STORED or "no-cache" in headers.get(names.get("cache-control", ""), ""):
        return None
    # Chromium itself puts the cookies in their place, with the values at the moment of sending.
    kept = {name: headers[names[name]] for name in names if name not in ("cookie", "cache-control")}
    kept["cache-control"] = "no-cache"
    names["cache-control"] = "Cache-Control"
    in_order = sorted(kept, key=lambda name: _RANKS.get(name, _RANKS[""]))
    return [{"name": names[name], "value": kept[name]} for name in in_order]
