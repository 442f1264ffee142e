"""Checks whether platforms list host names that lead to private addresses, which visits refuse unless those are listed.

Names of the own network may lead there, so they are not looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pagemill.browser.name_lookup import NameLookup
from pagemill.checks.finding import Finding
from pagemill.config.hosts import HostRule
from pagemill.config.platform import Platform
from pagemill.config.private_addresses import is_internal
from pagemill.config.web_address import HostAndPort

_PORTS = (80, 443)


def look_at_names(platforms: Mapping[str, Platform], lookup: NameLookup) -> list[Finding]:
    """An advice for each such name. Names of platforms with proxies are left out, because the proxies look them up."""
    names = [
        (name, platform, rule)
        for name, platform in sorted(platforms.items())
        if not platform.visitor.proxies
        for rule in map(HostRule.parse, platform.hosts)
        if rule.is_name and not is_internal(rule.host)
    ]
    addresses = asyncio.run(_addresses(lookup, [rule.host for _, _, rule in names]))
    findings = []
    for name, platform, rule in names:
        ports = _PORTS if rule.port is None else (rule.port,)
        refusals = [
            platform.host_rules().refusal_of(HostAndPort(rule.host, port), addresses[rule.host]) for port in ports
        ]
        if all(refusals):
            findings.append(Finding(f"hosts of {name}", True, f"{refusals[0]}", is_advice=True))
    return findings


async def _addresses(lookup: NameLookup, hosts: list[str]) -> dict[str, tuple[str, ...]]:
    asked = list(dict.fromkeys(hosts))
    return dict(zip(asked, await asyncio.gather(*map(lookup.addresses, asked)), strict=True))
