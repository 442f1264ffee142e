"""The loopback address of each shop, and the real hosts that it stands for.

On Linux all of 127.0.0.0/8 is this machine, so one server at one port can be six shops: the address in the `Host`
header tells them apart. Every path is as at the real shop.
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
"""The address of each shop."""

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
"""The hosts of pages and APIs for which a shop's address answers. Hosts of images are missing, because images are only
compared and never fetched."""

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
    """The shop that a `Host` header means; `None` for any other host."""
    return _SHOP_AT.get(host.partition(":")[0])
