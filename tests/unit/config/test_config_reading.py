"""Mistakes in what a platform says of reading and judging: each is told with its line, its key and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from pagemill.errors import ConfigError

HEAD = "platform: shop\nhosts: [www.shop.com]\n"
PLAIN = HEAD + "extract: {fields: {name: h1, status: {selector: .s, map: {In: on_sale, Out: sold_out}}}}\n"

MISTAKES = [
    (PLAIN + "judge: {sold_out: {status: null}}\n", 4, "judge.sold_out.status", "can never hold", "exists: true"),
    (
        PLAIN + "judge: {sold_out: {status: soldout}}\n",
        4,
        "judge.sold_out.status",
        "never soldout",
        "on_sale, sold_out",
    ),
    (PLAIN + "judge: {off_sale: {facts: {state: x}}}\n", 4, "judge.off_sale.facts.state", "not one of", "name"),
    (
        PLAIN + "judge: {gone: {error: {path: 'a[', words: [x]}}}\n",
        4,
        "judge.gone.error.path",
        "no JMESPath",
        "jmespath",
    ),
    (
        PLAIN + "judge: {gone: {error: {path: '!a', words: [null]}}}\n",
        4,
        "judge.gone.error.words",
        "plain",
        "with dots",
    ),
    (PLAIN + "judge: {gone: {url: ['re:(']}}\n", 4, "judge.gone.url.0", "not a regular expression", "mend"),
    (PLAIN + "judge: {gone: {txt: [x]}}\n", 4, "judge.gone.txt", "unknown key", "`text`"),
    (PLAIN + "require: [nam]\n", 4, "require.nam", "not one of", "name"),
    (PLAIN + "compare: {price: 2%}\n", 4, "compare.price", "not one of", "name"),
    (PLAIN + "compare: {name: lots}\n", 4, "compare.name.tolerance", "no tolerance", "2%"),
    (PLAIN + "require: [name]\njudge: {require: [name]}\n", 5, "judge.require", "beside judge", "one of the two"),
    (PLAIN + "confirm: [gone]\nretry: {attempts: 1}\n", 5, "retry.attempts", "could confirm", "at least 2"),
    (HEAD + "product: {id: '(a'}\nextract: {fields: {name: h1}}\n", 3, "product.id", "regular expression", "mend"),
    (HEAD + "product: {id: 'a'}\nextract: {fields: {name: h1}}\n", 3, "product.id", "no group id", "(?P<id>"),
    (
        HEAD + "product: {visit: 'https://m.shop.com/{id}'}\nextract: {fields: {name: h1}}\n",
        3,
        "product.visit",
        "m.shop.com is not one",
        "add the host",
    ),
    (
        HEAD + "product: {visit: 'https://www.shop.com/{sku}'}\nextract: {fields: {name: h1}}\n",
        3,
        "product.visit",
        "sku is not known",
        "id, url",
    ),
    (
        HEAD + "extract:\n  sources:\n    - {strategy: http, url: 'https://api.shop.com/{id}', fields: {name: a}}\n",
        5,
        "extract.sources.0.url",
        "api.shop.com is not one",
        "add the host",
    ),
    (
        HEAD + "extract:\n  sources:\n    - {strategy: http, url: /api/all, fields: {name: a}}\n",
        5,
        "extract.sources.0.url",
        "same for every product",
        "{id}",
    ),
    (
        HEAD + "extract:\n  sources:\n    - {strategy: dom, url: /api, fields: {name: h1}}\n",
        5,
        "extract.sources.0.url",
        "means nothing to strategy dom",
        "strategy http",
    ),
    (
        HEAD + "extract:\n  sources:\n    - {strategy: state, fields: {name: a}}\n",
        5,
        "extract.sources.0",
        "is missing",
        "script",
    ),
    (
        HEAD + "extract:\n  sources:\n    - {strategy: structured, fields: [prize]}\n",
        5,
        "extract.sources.0.fields",
        "no fact",
        "price",
    ),
    (
        HEAD + "extract:\n  fields: {name: h1}\n  sources:\n    - {strategy: structured}\n",
        4,
        "extract.fields",
        "beside sources",
        "move it",
    ),
    (HEAD + "extract: {fields: {s: {text_of: body}}}\n", 3, "extract.fields.s", "needs a map", "add map"),
    (
        HEAD + "extract: {fields: {s: {selector: b, map: {'a|': 1}}}}\n",
        3,
        "extract.fields.s.map",
        "empty word",
        "each |",
    ),
    (HEAD + "extract: {fields: {s: {selector: b, decimal: '.'}}}\n", 3, "extract.fields.s", "numbers only", "number"),
    (
        HEAD + "extract: {strategy: http, url: '/{id}', fields: {name: a}}\njudge: {gone: {text: [x]}}\n",
        4,
        "judge.gone.text",
        "no page is visited",
        "remove",
    ),
]


@pytest.mark.parametrize(("text", "line", "key", "message", "remedy"), MISTAKES)
def test_a_mistake_is_told(text: str, line: int, key: str, message: str, remedy: str, tmp_path: Path) -> None:
    """Where it is, what it is, and what to write instead."""
    (tmp_path / "platforms").mkdir()
    (tmp_path / "platforms" / "shop.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    told = [problem for problem in caught.value.problems if message in problem.message]
    assert told, caught.value
    assert (told[0].line, told[0].path.startswith(key), remedy in told[0].remedy) == (line, True, True), told[0]


def test_one_strategy_is_the_short_form_of_one_source() -> None:
    """Both are read as the same platform."""
    head = {"platform": "shop", "hosts": ["www.shop.com"]}
    source = {"strategy": "jsonld", "fields": {"name": "name", "price": [{"path": "offers.price", "type": "number"}]}}
    short = Platform.model_validate({**head, "extract": {"ready": "body", **source}})
    assert short == Platform.model_validate({**head, "extract": {"ready": "body", "sources": [source]}})
    assert Platform.model_validate(short.model_dump()) == short


def test_adding_a_sign_keeps_the_usual_ones() -> None:
    """They stay until their own key is written; an empty section of `sold_out` means no sign at all."""
    judge = {"gone": {"url": ["/today"]}, "sold_out": {"text": ["Sold"]}, "off_sale": {"in_stock": "x"}}
    platform = Platform.model_validate(
        {
            "platform": "shop",
            "hosts": ["www.shop.com"],
            "extract": {"fields": {"in_stock": ".s"}},
            "judge": judge,
        }
    )
    assert platform.judge.gone.status == (404, 410)
    assert platform.judge.sold_out.facts == ({"in_stock": False},)
    assert platform.judge.off_sale.facts == ({"in_stock": "x"},)
