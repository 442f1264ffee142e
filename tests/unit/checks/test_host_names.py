"""Names that lead where no visit goes are told before the first visit."""

from __future__ import annotations

import pytest

from pagemill.browser.name_lookup import NameLookup
from pagemill.checks.host_names import look_at_names
from pagemill.config.platform import Platform


async def known(host: str) -> tuple[str, ...]:
    """A resolver with one private name."""
    if host == "inside.test":
        return ("10.0.0.5",)
    if host == "outside.test":
        return ("203.0.113.7",)
    raise OSError(f"{host} is not known")


@pytest.mark.parametrize(
    ("hosts", "visitor", "told"),
    [
        (["outside.test", "unknown.test", "*.inside.test", "127.0.0.1", "10.0.0.0/8", "localhost"], {}, False),
        (["outside.test", "inside.test"], {}, True),
        (["inside.test:8900"], {}, True),
        (["inside.test", "10.0.0.5"], {}, False),
        (["inside.test", "10.0.0.5:80"], {}, False),
        (["inside.test:443", "10.0.0.5:80"], {}, True),
        (["inside.test"], {"proxies": ["SEOUL"]}, False),
    ],
)
def test_a_name_that_leads_to_a_private_address_gets_advice(
    hosts: list[str], visitor: dict[str, list[str]], told: bool
) -> None:
    """Unless the address is listed, or a proxy looks the name up."""
    platform = Platform.model_validate(
        {"platform": "shop", "hosts": hosts, "visitor": visitor, "extract": {"fields": {"name": "h1"}}}
    )
    findings = look_at_names({"shop": platform}, NameLookup(known))
    assert [finding.subject for finding in findings] == ["hosts of shop"] * told
    for finding in findings:
        assert (finding.fine, finding.is_advice) == (True, True)
        assert "resolves to the private address 10.0.0.5: list it in hosts to allow it" in finding.text


def test_a_name_of_the_own_network_is_not_looked_up() -> None:
    """It may lead anywhere, and its name server may be slow."""

    async def nobody_asks(host: str) -> tuple[str, ...]:
        raise AssertionError(f"{host} was asked for")

    platform = Platform.model_validate(
        {"platform": "shop", "hosts": ["storefront"], "extract": {"fields": {"name": "h1"}}}
    )
    assert look_at_names({"shop": platform}, NameLookup(nobody_asks)) == []
