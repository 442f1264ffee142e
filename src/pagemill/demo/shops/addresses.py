"""Which shop stands at which loopback address, and which real hosts that one address stands for.

All of 127.0.0.0/8 is this machine on Linux, so one server at one port can be six shops: the address in the `Host`
header tells them apart, and every path stays what it is at the real shop.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pagemill.errors import UsageError

ADDRESSES: Mapping[str, str] = MappingProxyType(
    {
        "musinsa": "127.0.0.11",
        "ably": "127.0.0.12",
        "zigzag": "127.0.0.13",
        "kurly": "127.0.0.14",
        "oliveyoung": "127.0.0.15",
        "hwahae": "127.0.0.16",
    }
)
"""Shop to address."""

REAL_HOSTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "musinsa": ("www.musinsa.com", "goods-detail.musinsa.com"),
        "ably": ("m.a-bly.com",),
        "zigzag": ("zigzag.kr", "store.zigzag.kr", "api.zigzag.kr"),
        "kurly": ("www.kurly.com",),
        "oliveyoung": ("m.oliveyoung.co.kr", "www.oliveyoung.co.kr"),
        "hwahae": ("www.hwahae.co.kr", "gateway.hwahae.co.kr"),
    }
)
"""The hosts of pages and APIs that a shop's one address answers for. Hosts of images are not among them: nobody asks
for an image, it is only compared."""

SHOPS = tuple(ADDRESSES)

_SHOP_AT = {address: shop for shop, address in ADDRESSES.items()}


def shop_url(shop: str, port: int) -> str:
    """The base URL of a shop on a server at that port, such as `http://127.0.0.11:8900`.

    Raises:
        UsageError: there is no such shop.
    """
    if shop not in ADDRESSES:
        raise UsageError(f"there is no practice shop {shop!r}: use one of {', '.join(SHOPS)}")
    return f"http://{ADDRESSES[shop]}:{port}"


def shop_at(host: str) -> str | None:
    """The shop that a `Host` header means, `None` for every other host."""
    return _SHOP_AT.get(host.partition(":")[0])
