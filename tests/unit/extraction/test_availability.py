"""Texts about stock say that a thing can be bought, that it cannot, or neither."""

from __future__ import annotations

from importlib import resources

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pagemill.extraction.availability import read_availability

CAN_BE_BOUGHT = ["InStock", "OnlineOnly", "InStoreOnly", "LimitedAvailability"]
CAN_BE_BOUGHT += ["PreOrder", "PreSale", "BackOrder", "MadeToOrder"]
CANNOT_BE_BOUGHT = ["OutOfStock", "SoldOut", "Discontinued", "Reserved"]

WORDS = yaml.safe_load(resources.files("pagemill.extraction").joinpath("availability_words.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    "form", ["{}", "https://schema.org/{}", "http://www.schema.org/{}", "schema.org/{}", "schema:{}"]
)
@pytest.mark.parametrize(
    ("word", "says"), [(word, True) for word in CAN_BE_BOUGHT] + [(word, False) for word in CANNOT_BE_BOUGHT]
)
def test_reads_every_word_of_schema_org(form: str, word: str, says: bool) -> None:
    """With its address and without, in any case."""
    text = form.format(word)
    assert [read_availability(one) for one in (text, text.lower(), f" {text}/ ")] == [says] * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("in_stock", True),
        ("IN-STOCK", True),
        ("https://schema.org/ItemAvailability/InStock", True),
        ("//schema.org/SoldOut", False),
        ("instock", True),
        ("preorder", True),
        ("available for order", True),
        ("oos", False),
        ("pending", False),
        ("out of stock", False),
    ],
)
def test_reads_the_words_of_open_graph_and_of_feeds(text: str, says: bool) -> None:
    """Spaces, dashes and underscores do not count."""
    assert read_availability(text) is says


@pytest.mark.parametrize("language", WORDS["languages"])
def test_reads_every_word_of_the_list(language: str) -> None:
    """No word of the data file is taken for its opposite by another one that it contains."""
    listed = [
        (word.strip().replace("#", "3"), not key.endswith("out_of_stock"))
        for key, words in WORDS["languages"][language].items()
        for word in words.split(",")
    ]
    assert len(listed) > 40
    assert [(word, read_availability(word)) for word, _says in listed] == listed
    assert [(word, read_availability(f" {word.upper()}! ")) for word, _says in listed if word.isalnum()] == [
        one for one in listed if one[0].isalnum()
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Sorry, sold out.", False),
        ("This item is currently out of stock", False),
        ("Not currently in stock", False),
        ("Only 1 left in stock - order soon.", True),
        ("12 in stock", True),
        ("0 in stock", False),
        ("Stock level: 0", False),
        ("Availability: available", True),
        ("Back in stock soon", False),
        ("Notify me when in stock", False),
        ("Almost sold out", True),
        ("Temporarily out of stock. Order now and we deliver when it is available.", False),
        ("Nur noch 3 auf Lager", True),
        ("Leider derzeit nicht auf Lager", False),
        ("Sofort lieferbar, in 1-3 Tagen bei Ihnen", True),
        ("Bald wieder verfügbar", False),
        ("Lagerbestand: 0", False),
        ("Plus que 2 en stock !", True),
        ("Il ne reste plus que 2 articles en stock", True),
        ("Ce produit n'est plus disponible", False),
        ("EPUISE", False),
        ("¡Últimas unidades!", True),
        ("Ya no está disponible", False),
        ("TÜKENDİ", False),
        ("STOKTA KALMADI", False),
        ("Stokta 3 adet", True),
        ("재고: 5개", True),
        ("재고 : 0개", False),
        ("품절 임박!", True),
        ("SOLD OUT 품절", False),
        ("SOLDOUT품절", False),
        ("현재 판매중이 아닙니다", False),
        ("재입고 알림 신청", False),
        ("在庫：残り3点", True),
        ("残り0点", False),
        ("ただいま在庫がありません", False),
        ("予約受付終了", False),
        ("○", True),
        ("仅剩3件", True),
        ("没有货", False),
        ("即将售罄", True),
    ],
)
def test_reads_short_sentences(text: str, says: bool) -> None:
    """The longer of two words counts where they overlap, and what denies before what affirms."""
    assert read_availability(text) is says


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\u200b ",
        "Blue cup",
        "12",
        "Available in red and blue",
        "Sold by Acme",
        "No problem: order today",
        "We do not know whether it is in stock",
        "restock",
        "Unsold",
        "Instockholm",
        "true",
        "https://example.com/in-stock",
        "https://schema.org/ItemAvailability",
        "Everything that you see here is in stock, but for what is not, about which you may ask our friendly staff",
    ],
)
def test_says_nothing_where_the_text_does_not(text: str) -> None:
    """Words that have another meaning in a sentence, negations at a distance, and long texts."""
    assert read_availability(text) is None


@given(st.text(max_size=100))
def test_reads_any_text(text: str) -> None:
    """Whatever a page writes."""
    assert read_availability(text) in (True, False, None)
