"""A platform and shorthands for the tests of the intake."""

from __future__ import annotations

from pathlib import Path

from pagemill.config.platform import Platform
from pagemill.intake.catalog import read_catalog
from pagemill.intake.rows import BadRow
from pagemill.model import Product

PLATFORM = Platform.model_validate(
    {
        "platform": "shop",
        "hosts": ["www.shop.com", "*.shop.co.kr", "127.0.0.1:8900"],
        "extract": {
            "fields": {
                "name": "h1",
                "price": {"selector": ".price", "type": "number"},
                "in_stock": {"selector": ".stock", "equals": "in"},
                "sale": {"selector": ".sale", "type": "boolean"},
                "image": {"selector": "img", "attribute": "src"},
            }
        },
    }
)


def read_all(path: Path, platform: Platform = PLATFORM) -> tuple[list[Product], list[BadRow]]:
    """Products and bad rows of a file."""
    bad: list[BadRow] = []
    return list(read_catalog(path, platform, bad.append)), bad


def read_text(tmp_path: Path, name: str, text: str | bytes) -> tuple[list[Product], list[BadRow]]:
    """Products and bad rows of a file with that content."""
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_all(path)


def url(product_id: str) -> str:
    """A URL that the platform allows."""
    return f"https://www.shop.com/{product_id}"
