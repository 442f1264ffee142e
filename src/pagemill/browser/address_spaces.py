"""How Chromium is told which addresses are listed. Pure.

By its checks of local network access nothing that a page from a public address asks for comes from a private one,
whatever name it goes by: Chromium looks at the address that it is connected to. A page from a private one is not
checked. So the addresses that platforms list are called public: their pages may ask each other, and are kept from all
the others. Where the page itself goes is not checked (Chromium 156).
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
    """What the rules of Chromium's switch `--host-resolver-rules` map names to: who writes them has listed it."""
    return [target for target in _MAPPED.findall(rules) if _is_host(target)]


def _is_host(text: str) -> bool:
    try:
        HostRule.parse(text)
    except ValueError:  # such as ~NOTFOUND
        return False
    return True


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
