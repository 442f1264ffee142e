"""Tells Chromium which private addresses are listed. Pure.

Chromium's local network access checks keep a page from a public address away from private ones. They look at the
address of the connection, whatever the host's name. A page from a private address is not checked. So the addresses that
platforms list are declared public: their pages may ask each other, and no other private address. The page's own
navigation is not checked (Chromium 156).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pagemill.config.hosts import HostRule
from pagemill.config.private_addresses import address_of
from pagemill.config.web_address import LOCALHOST

_MAPPED = re.compile(r"\bMAP\s+\S+\s+([^\s,]+)", re.IGNORECASE)


def overrides(hosts: Iterable[str]) -> list[str]:
    """The entries of Chromium's switch `--ip-address-space-overrides` for the `hosts` of all platforms."""
    found: dict[str, None] = {}
    for rule in map(HostRule.parse, hosts):
        if rule.network is not None:
            address, _, length = str(rule.network).partition("/")
            found[f"{_bracketed(address)}/{length}=public"] = None
        for address in LOCALHOST if rule.host == "localhost" else (rule.host,):
            if (known := address_of(address)) is not None:
                width = f":{rule.port}" if rule.port is not None else f"/{known.max_prefixlen}"
                found[f"{_bracketed(str(known))}{width}=public"] = None
    return list(found)


def mapped_to(rules: str) -> list[str]:
    """The hosts to which rules of Chromium's switch `--host-resolver-rules` map names: whoever writes one lists
    them."""
    return [target for target in _MAPPED.findall(rules) if _is_host(target)]


def _is_host(text: str) -> bool:
    try:
        HostRule.parse(text)
    except ValueError:  # such as ~NOTFOUND
        return False
    return True


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
