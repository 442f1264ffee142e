"""The firewall of one page of a platform, with what its visitor adds to requests."""

from __future__ import annotations

from pagemill.browser.firewall import Firewall
from pagemill.browser.name_lookup import NameLookup
from pagemill.browser.page_news import PageNews
from pagemill.browser.visitor.own_headers import OwnHeaders
from pagemill.browser.visitor.sign_in import SignIn
from pagemill.config.platform import Platform
from pagemill.config.visitor.secrets import Proxy, VisitorSecrets

PROXY_BYPASS = "<-loopback>"
"""Without this, Chromium contacts loopback addresses without the proxy."""


def page_firewall(
    platform: Platform, secrets: VisitorSecrets, proxy: Proxy | None, lookup: NameLookup | None = None
) -> Firewall:
    """The firewall of a page in a context with that proxy. With a proxy, `lookup` is not used for names."""
    rules, visitor = platform.host_rules(), platform.visitor
    shop = None if visitor.credentials is None else secrets.credentials[visitor.credentials]
    sign_in = SignIn(rules, shop, None if proxy is None else proxy.address.credentials)
    headers = OwnHeaders(platform.hosts, visitor.headers)
    return Firewall(rules, PageNews.of(platform), headers, sign_in, lookup if proxy is None else None)
