"""`extract.match` says which answers are captured."""

from __future__ import annotations

import pytest

from pagemill.config.url_pattern import UrlPattern


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("https://a.example/api/p/*", "https://a.example/api/p/1", True),
        ("https://a.example/api/p/*", "https://a.example/api/p/1?lang=ko", True),
        ("https://a.example/api/p/*", "https://a.example/api/p/1/reviews", False),
        ("https://a.example/api/p/*", "https://b.example/api/p/1", False),
        ("https://a.example/api/**", "https://a.example/api/p/1/reviews?x=/y", True),
        ("**/api/p/*", "http://any.example:8080/shop/api/p/1", True),
        ("**/api/p/*/detail", "http://any.example/api/p/1/detail", True),
        ("/api/p/*", "https://a.example/api/p/1", True),
        ("/api/p/*", "https://a.example/v2/api/p/1", False),
        ("/api/p?id=*", "https://a.example/api/p?id=1", True),
        ("/api/p?id=*", "https://a.example/api/pXid=1", False),
        ("/api/p.json", "https://a.example/api/p.json#top", True),
        ("/api/p.json", "https://a.example/api/pxjson", False),
        ("re:/products/\\d+$", "https://a.example/products/12", True),
        ("re:/products/\\d+$", "https://a.example/products/ab", False),
        ("re:^https://a\\.example/", "https://a.example/x", True),
        ("**", "https://a.example/" + "x" * 9000, False),
    ],
)
def test_a_url_fits_its_pattern(pattern: str, url: str, fits: bool) -> None:
    """One star stays within a path's segment, two cross it, and only `re:` is a regular expression."""
    assert UrlPattern(pattern).fits(url) is fits
