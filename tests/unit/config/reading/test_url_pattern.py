"""`extract.match` says which answers are captured."""

from __future__ import annotations

import re

import pytest

from pagemill.config.reading.patterns import Part
from pagemill.config.reading.url_pattern import UrlPattern


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


NAMES = {"id": Part("10%2F1", encoded=True), "shop": Part("a b")}


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("**/goods/{id}/**", "https://a.com/api/goods/10%2F1/basic", True),
        ("**/goods/{id}/**", "https://a.com/api/goods/10/1/basic", True),
        ("**/goods/{id}/**", "https://a.com/api/goods/101/basic", False),
        ("**/goods/{id}", "https://a.com/api/goods/10%2F1/basic", False),
        ("/g?shop={shop}&no={id}", "https://a.com/g?shop=a%20b&no=10%2F1", True),
        ("/g?shop={shop}&no={id}", "https://a.com/g?shop=ab&no=10%2F1", False),
        ("/g/{nobody}", "https://a.com/g/anything", True),
        ("/g/{nobody}", "https://a.com/g/any/thing", False),
        ("re:/goods/{id}(/|$)", "https://a.com/goods/10%2F1", True),
        ("re:/goods/{id}(/|$)", "https://a.com/goods/10%2F12", False),
        (r"re:/g/\d{2,3}$", "https://a.com/g/12", True),
        (r"re:/g/\d{2,3}$", "https://a.com/g/1", False),
    ],
)
def test_a_pattern_of_one_product_fits_its_addresses_only(pattern: str, url: str, fits: bool) -> None:
    """Written plainly or percent-encoded; a name that nothing gives a meaning to stands for one segment."""
    assert UrlPattern(pattern).filled(NAMES).fits(url) is fits


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/api/{id}*", "https://a.com/api/101", True),
        ("/api/{id}*", "https://a.com/api/101?x=1", True),
        ("/api/{id}*", "https://a.com/api/101.json", True),
        ("/api/{id}*", "https://a.com/api/1012", False),
        ("**{id}/basic", "https://a.com/api/101/basic", True),
        ("**{id}/basic", "https://a.com/api/5101/basic", False),
        ("/api/goods{id}", "https://a.com/api/goods101", True),
        ("re:/api/{id}", "https://a.com/api/101?x=1", True),
        ("re:/api/{id}", "https://a.com/api/1012", False),
        ("re:/goods{id}", "https://a.com/goods101", True),
    ],
)
def test_an_id_is_no_part_of_a_longer_one(pattern: str, url: str, fits: bool) -> None:
    """Beside a star, and in a regular expression: product 1012 is not product 101."""
    assert UrlPattern(pattern).filled({"id": Part("101")}).fits(url) is fits


@pytest.mark.parametrize("pattern", ["/goods/{id}/**", "**/goods/*", "https://*.a.com/{id}?x=**", "/a*b?c", "re:x{id}"])
def test_what_fits_is_let_through_by_the_browsers_own_pattern(pattern: str) -> None:
    """Chromium pauses by patterns that know `*` only: they must not miss what is meant."""
    url = {
        "/goods/{id}/**": "https://a.com/goods/7/x?y=1",
        "**/goods/*": "https://a.com/goods/7",
        "https://*.a.com/{id}?x=**": "https://m.a.com/7?x=1/2",
        "/a*b?c": "https://a.com/axxb?c",
        "re:x{id}": "https://a.com/x7",
    }[pattern]
    one = UrlPattern(pattern)
    assert one.fits(url)
    loose = re.escape(one.loose()).replace(r"\*", ".*")
    assert re.fullmatch(loose, url)


@pytest.mark.parametrize(
    ("pattern", "url", "parts"),
    [
        ("**/goods/*", "https://api2.a.com:8443/v1/goods/7?t=1", ("/v1", "7?t=1")),
        ("https://*.a.com/goods/*", "https://img01.a.com/goods/7", ("7",)),
        ("/goods/{id}/**", "https://a.com/goods/7/x", ("7", "x")),
        ("re:goods/(.*)", "https://a.com/goods/7", ()),
        ("/goods/*", "https://a.com/other", ()),
    ],
)
def test_what_a_pattern_leaves_open_is_told_without_the_host(pattern: str, url: str, parts: tuple[str, ...]) -> None:
    """A number in a host's name or port is no product's."""
    assert UrlPattern(pattern).free_parts(url) == parts


@pytest.mark.parametrize(
    "pattern", ["/상품/*", "https://shop.kr/상품/*", "re:/상품/\\d+", "/상품/{id}", "/*/상품/7/.."]
)
@pytest.mark.parametrize(
    "address",
    ["https://shop.kr/상품/7", "https://shop.kr/%EC%83%81%ED%92%88/7", "https://shop.kr/%ec%83%81%ed%92%88/7"],
)
def test_other_scripts_than_latin_fit_however_an_address_spells_them(pattern: str, address: str) -> None:
    """Browsers send them percent-encoded."""
    if pattern.endswith(".."):
        assert not UrlPattern(pattern).fits(address)
    else:
        assert UrlPattern(pattern).fits(address)
        assert not UrlPattern(pattern).fits(
            address.replace("7", "x").replace("%EC", "%ED").replace("%ec", "%ed").replace("상", "하")
        )


def test_chromium_is_asked_for_encoded_addresses() -> None:
    """Its own patterns know nothing of other spellings."""
    assert UrlPattern("https://shop.kr/상품/{id}/*").loose() == "https://shop.kr/*/*/*"
