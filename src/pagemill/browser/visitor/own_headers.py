"""The visitor's extra headers, only for requests to the platform's own hosts. Pure.

Playwright's `extra_http_headers` and Chromium's `Network.setExtraHTTPHeaders` send them to every host that a page asks,
also to trackers and after redirects. Headers that are added to a paused request go to that one address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pagemill.config.hosts import HostRule, HostRules

_WITH_DOCUMENTS_ONLY = frozenset({"referer"})
"""Headers for documents only: a page's own requests already name the page in `Referer`."""


class OwnHeaders:
    """The headers of one platform."""

    def __init__(self, hosts: Sequence[str], headers: Mapping[str, str]) -> None:
        self._rules = HostRules(hosts)
        self._hosts = tuple(hosts)
        self._headers = dict(headers)

    def fetch_patterns(self) -> list[dict[str, str]]:
        """Patterns for Chromium's `Fetch` that pause at least every request to the platform's hosts."""
        if all(name.lower() in _WITH_DOCUMENTS_ONLY for name in self._headers):
            return []  # documents are paused in any case
        patterns = []
        for rule in map(HostRule.parse, self._hosts):
            if rule.network is not None:
                return [{"urlPattern": "*"}]  # no pattern can match a network
            host = f"[{rule.host}]" if ":" in rule.host else rule.host
            name = f"*.{host}" if rule.subdomains else host
            patterns += [{"urlPattern": f"*://{name}/*"}, {"urlPattern": f"*://{name}:*/*"}]
        return patterns

    def added_to(self, event: dict[str, Any]) -> list[dict[str, str]] | None:
        """All headers of a paused request including ours; `None` if none is added."""
        request = event["request"]
        if not self._headers or self._rules.refusal(request["url"]) is not None:
            return None
        left_out = frozenset() if event.get("resourceType") == "Document" else _WITH_DOCUMENTS_ONLY
        added = {name: text for name, text in self._headers.items() if name.lower() not in left_out}
        if not added:
            return None
        ours = {name.lower() for name in added}
        kept = {name: text for name, text in request["headers"].items() if name.lower() not in ours}
        return [{"name": name, "value": text} for name, text in (kept | added).items()]
