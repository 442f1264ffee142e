"""Which product an address or an answer is about, and whether a visit has ended where it was sent."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.reading.patterns import Part
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.extraction.identity import Identity, is_elsewhere

SHOP = "https://www.shop.com"


def of(path: str, row: str | None = None) -> Identity:
    """By an address alone, or with the row's id."""
    return Identity.of({} if row is None else {"id": Part(row)}, SHOP + path)


@pytest.mark.parametrize(
    ("path", "token"),
    [
        ("/p/7", "7"),
        ("/goods/32438971", "32438971"),
        ("/goods/7/blue-cup", "7"),
        ("/goods/blue-cup/601", "601"),
        ("/blue-cup-12345", "12345"),
        ("/en/blue-cup-p-12345.html", "12345"),
        ("/site/cup/6428324.p?skuId=99", "6428324"),
        ("/products/blue-cup?variant=42123456", "blue-cup"),
        ("/collections/sale-2024/products/blue-cup", "blue-cup"),
        ("/kr/ko/p/iphone-15", "iphone-15"),
        ("/dp/B0CHX1W1XY/ref=sr_1_3", "B0CHX1W1XY"),
        ("/store/goods/getGoodsDetail.do?goodsNo=A000000231822", "A000000231822"),
        ("/product/detail.html?cate_no=30&product_no=24", "24"),
        ("/product/blue-cup/24/category/30/display/1/", "24"),
        ("/shop/shopdetail.html?branduid=123", "123"),
        ("/index.php?route=product/product&product_id=43", "43"),
        ("/detail/3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("/#/goods/123", "123"),
        ("/app/v2/goods/9", "9"),
        ("/%EC%BB%B5", "컵"),
        ("/?page=3", ""),
        ("/", ""),
    ],
)
def test_an_address_tells_what_is_most_likely_its_id(path: str, token: str) -> None:
    """Long numbers and codes first, then what stands behind a word for products, then the query."""
    assert of(path).token == token


@pytest.mark.parametrize(
    ("path", "row", "token"),
    [
        ("/goods/blue-cup-12345", "12345", "12345"),
        ("/p/101?page=1", "1", "101"),
        ("/shop/1/product/4567", "1", "4567"),
        ("/product/name/24/category/30/", "30", "24"),
        ("/p/101", "101", "101"),
        ("/p/101", "SKU-9", "101"),
        ("/p/blue-cup-12345", "blue", "12345"),
        ("/p/101", "", "101"),
        ("/", "1", ""),
    ],
)
def test_a_rows_id_counts_where_the_address_has_it_and_not_by_chance(path: str, row: str, token: str) -> None:
    """Rows are often numbered from 1: such a number stands in many addresses as something else."""
    assert of(path, row).token == token


def test_an_id_that_the_platform_cuts_out_is_believed() -> None:
    """Whatever else the address looks like."""
    assert Identity.of({"id": Part("%EC%BB%B5", encoded=True)}, f"{SHOP}/p/99999").token == "컵"


ELSEWHERE = [
    ("/p/12345", "/"),
    ("/p/12345", "/main"),
    ("/p/12345", "/index.php"),
    ("/p/12345", "/ko-kr/"),
    ("/p/12345", "/p/99999"),
    ("/p/12345", "/p/123456"),
    ("/p/12345", "/login?returnUrl=/p/12345"),
    ("/p/12345", "/member/login.do?goodsNo=12345"),
    ("/p/12345", "/goods/nogoods.do?goodsNo=12345"),
    ("/p/12345", "/errors/404"),
    ("/p/12345", "/page_not-found"),
    ("/p/12345", "/search?q=12345"),
    ("/p/12345", "/captcha?id=12345"),
    ("/p/12345", "/today?from=12345"),
    ("/p/12345", "/list?deleted=12345"),
    ("/p?no=12345", "/p?no=99999"),
    ("/p?no=12345", "/p"),
    ("/#/goods/123", "/#/today"),
    ("/p/blue-cup-12345", "/p/blue-cup-12346"),
    ("/products/iphone-15", "/products/iphone-15-pro"),
    ("/products/blue-cup", "/products/blue-cup-2"),
    ("/p/A-100", "/p/A-101"),
    ("/cups/blue", "/cups/red"),
    ("/cups/blue", "/cups"),
    ("/collections/sale-2024/products/blue-cup", "/collections/sale-2024"),
    ("/product/name/24/category/30/", "/product/list.html?cate_no=30"),
    ("/p/12345", "/category/9?product=12345"),
    ("/p/12345", "/category/12345"),
    ("/p/12345", "/goods/list.do?exclude=12345"),
    ("/p/12345", "/goods/similar/12345"),
    ("/p/12345", "/event/spring?goodsNo=12345"),
    ("/products/blue-cup", "/collections/blue-cup"),
]
SAME = [
    ("/p/12345", "/p/12345/"),
    ("/p/12345", "/p/12345.html"),
    ("/p/12345", "/kr/p/12345"),
    ("/p/12345", "/p/blue-cup-12345"),
    ("/p/12345", "/p/12345/blue-cup"),
    ("/p/old-12345", "/p/new-12345"),
    ("/p/12345", "/p/12345?utm_source=x#reviews"),
    ("/p/12345", "/m/goods/view.do?goodsNo=12345"),
    ("/p/12345", "/p/error-code-reader-12345"),
    ("/p/yoga-challenge", "/p/yoga-challenge"),
    ("/products/blue-cup", "/products/Blue-Cup?variant=1"),
    ("/collections/sale-2024/products/blue-cup", "/products/blue-cup"),
    ("/dp/B0CHX1W1XY", "/Blue-Cup/dp/B0CHX1W1XY"),
    ("/#/goods/123", "/#/goods/123?tab=1"),
    ("/index.php?product_id=43", "/blue-cup?product_id=43"),
    ("/p/%EC%BB%B5", "/p/컵"),
    ("/search/p/1", "/search/p/1"),
    ("/login", "/login"),
    ("/p/12345", "/category/9/product/12345"),
    ("/p/12345", "/product/name/12345/category/30/display/1/"),
    ("/p/12345", "/category/product/view?no=12345"),
    ("/best/12345", "/best/12345/"),
    ("/", "/"),
]


@pytest.mark.parametrize(("asked", "final"), ELSEWHERE)
def test_another_thing_stands_there(asked: str, final: str) -> None:
    """Home pages, logins, errors, searches, lists, and other products, however alike."""
    assert is_elsewhere(of(asked), SHOP + asked, SHOP + final)


@pytest.mark.parametrize(("asked", "final"), SAME)
def test_the_product_stands_there(asked: str, final: str) -> None:
    """Another slug, query, language or form of the address is still the product's."""
    assert not is_elsewhere(of(asked), SHOP + asked, SHOP + final)


def test_without_an_id_the_ends_of_the_paths_must_agree() -> None:
    """Nothing else could tell."""
    nobody = Identity("")
    assert not is_elsewhere(nobody, f"{SHOP}/a/cup", f"{SHOP}/b/cup.html")
    assert is_elsewhere(nobody, f"{SHOP}/a/cup", f"{SHOP}/a/mug")


def test_an_allowed_landing_is_not_elsewhere() -> None:
    """Though it does not name the product."""
    asked, final = f"{SHOP}/p/12345", f"{SHOP}/event/spring"
    assert is_elsewhere(of("/p/12345"), asked, final)
    assert not is_elsewhere(of("/p/12345"), asked, final, [UrlPattern("/event/*")])


@given(number=st.integers(10_000, 10**12), other=st.integers(10_000, 10**12), slug=st.text(string.ascii_letters))
def test_numbers_are_told_apart_whatever_stands_beside_them(number: int, other: int, slug: str) -> None:
    """The same number in another form of the address is the product; any other number is not."""
    identity = of(f"/goods/{number}")
    assert not is_elsewhere(identity, f"{SHOP}/goods/{number}", f"{SHOP}/goods/{slug}-{number}")
    moved = is_elsewhere(identity, f"{SHOP}/goods/{number}", f"{SHOP}/goods/{slug}-{other}")
    assert moved is (number != other)


@pytest.mark.parametrize(
    ("token", "text", "mentioned"),
    [
        ("101", "/api/101/basic", True),
        ("101", "/api/1010/basic", False),
        ("101", "a101", False),
        ("blue-cup", '{"handle": "Blue-Cup"}', True),
        ("a.b", "axb", False),
        ("", "anything", False),
    ],
)
def test_a_mention_is_a_word_of_its_own(token: str, text: str, mentioned: bool) -> None:
    """Not a part of a longer one, and signs stand for themselves."""
    assert Identity(token).is_in(text) is mentioned


@pytest.mark.parametrize(
    ("token", "json_text", "said"),
    [
        ("101", '{"goodsNo": 101}', True),
        ("101", '{"goods": {"id" : "101" }}', True),
        ("A1", '{"sku":"a1"}', True),
        ("101", '{"price": 101, "stock": 101}', False),
        ("101", '{"categoryNo": 101, "brand_id": 101}', False),
        ("101", '{"goodsNo": 1010}', False),
        ("", '{"goodsNo": ""}', False),
        ("101", '{"errorCode": "", "goods": {"goodsNo": 101}}', True),
        ("101", '{"code": ""}', False),
    ],
)
def test_an_answer_says_its_product_by_an_id_and_not_by_any_number(token: str, json_text: str, said: bool) -> None:
    """A price may be the number of a product by chance."""
    assert Identity(token).is_said_by(json_text) is said


@pytest.mark.parametrize(
    ("token", "json_text", "contradicted"),
    [
        ("101", '{"goodsNo": 999, "name": "Red"}', True),
        ("101", '{"goodsNo": 999, "related": [{"goodsNo": 101}]}', False),
        ("4350236", '{"product_id": 55}', False),
        ("101", '{"optionNo": 999}', False),
        ("blue-cup", '{"product_id": 999}', False),
        ("", '{"goodsNo": 999}', False),
        ("101", '{"sku": "", "goodsNo": 999}', True),
        ("101", '{"sku": ""}', False),
    ],
)
def test_an_answer_with_another_products_id_is_anothers(token: str, json_text: str, contradicted: bool) -> None:
    """Unless that id has another form: shops number their products inside as well."""
    assert Identity(token).is_contradicted_by(json_text) is contradicted


@pytest.mark.parametrize(
    ("token", "pieces", "other"),
    [
        ("101", ["999"], True),
        ("101", ["999/basic"], True),
        ("101", ["v3/basic"], False),
        ("101", ["basic?t=999"], False),
        ("101", ["list?limit=20&kind=3"], False),
        ("101", ["list?id=20"], True),
        ("4350236", ["basic?x=1712345678901"], False),
        ("4350236", ["goods12"], False),
        ("4350236", ["list?goodsNo=4350237"], True),
        ("blue-cup", ["red-cup.json"], True),
        ("blue-cup", ["basic"], False),
        ("A000000231822", ["A000000231823"], True),
        ("", ["999"], False),
    ],
)
def test_pieces_of_an_address_stand_for_another_product_only_if_they_look_like_one(
    token: str, pieces: list[str], other: bool
) -> None:
    """Versions, hosts and what is put there against caches do not."""
    assert Identity(token).is_other_than(pieces) is other


@pytest.mark.parametrize(
    ("json_text", "asked", "left_out"),
    [
        ('[{"id": 102}]', '{"ids": [101, 102]}', True),
        ('[{"id": 102}, {"id": 101}]', '{"ids": [101, 102]}', False),
        ('{"skuId": 555, "name": "a"}', "/api/101", False),
        ('{"name": "a"}', '{"ids": [101, 102]}', False),
        ('{"code": "", "id": 102}', '{"ids": [101, 102]}', True),
    ],
)
def test_an_answer_to_a_request_for_several_may_lack_the_product(json_text: str, asked: str, left_out: bool) -> None:
    """What it says then is of those that were asked for beside it."""
    assert Identity("101").is_left_out_by(json_text, asked) is left_out


@pytest.mark.parametrize(
    ("posted", "passed_over"),
    [
        ('{"variables": {"id": "102"}}', True),
        ('{"variables": {"id": "101"}}', False),
        ('{"goodsNo": 102, "related": [101]}', False),
        ('{"operation": "Detail", "version": 102}', False),
        ("goodsNo=102&t=5", True),
        ("goodsNo=101", False),
        ("t=102", False),
        ("", False),
        ('{"sku": "", "id": 102}', True),
        ('{"sku": ""}', False),
    ],
)
def test_a_request_may_be_for_another_product(posted: str, passed_over: bool) -> None:
    """As that of a strip of other things below the product."""
    assert Identity("101").is_passed_over_by(posted) is passed_over
