"""What a platform says of reading and of verdicts: every form is accepted, and every mistake explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from tests.unit.config.test_config_loading import problems_of, shop, write

FETCH = "{strategy: in_page_fetch, fields: {a: b}}"
HTTP = "{strategy: http, url: '/api/{id}', fields: {a: b}}"
READING_MISTAKES = {
    "no source": (shop(extract="{sources: []}"), 3, "extract.sources", "is empty", "at least one source"),
    "a key beside sources": (
        shop(extract="{match: /x, sources: [{fields: {name: h1}}]}"),
        3,
        "extract.match",
        "stands beside sources",
        "move it into one of them",
    ),
    "an own class beside others": (
        shop(extract="{sources: [{strategy: a.B, fields: {a: {selector: b}}}, {fields: {a: b}}]}"),
        3,
        "extract.sources.0",
        "stands alone",
        "a platform of its own",
    ),
    "two fetches": (
        shop(
            extract="{sources: [{strategy: in_page_fetch, fields: {a: b}}, {strategy: in_page_fetch, fields: {a: b}}]}"
        ),
        3,
        "extract.sources.1",
        "is the second in_page_fetch",
        "keep one of them",
    ),
    "ready without a page": (
        shop(extract=f"{{ready: h1, sources: [{HTTP}]}}"),
        3,
        "extract.ready",
        "means nothing where no page is visited",
        "remove it",
    ),
    "a field without rules": (shop(extract="{fields: {a: []}}"), 3, "extract.fields.a", "has no rule", "one place"),
    "state nowhere": (
        shop(extract="{strategy: state, fields: {a: b}}"),
        3,
        "extract.script",
        "is missing",
        "add script (a selector), variable (a dotted name) or document: true",
    ),
    "state in two places": (
        shop(extract="{strategy: state, script: x, variable: y, fields: {a: b}}"),
        3,
        "extract",
        "has both script and variable",
        "keep one of them",
    ),
    "no document": (
        shop(extract="{strategy: state, document: false, fields: {a: b}}"),
        3,
        "extract.document",
        "means nothing",
        "write true",
    ),
    "a variable that is a call": (
        shop(extract="{strategy: state, variable: 'a()', fields: {a: b}}"),
        3,
        "extract.variable",
        "'a()' is not the name of a variable",
        "write it with dots",
    ),
    "a variable that begins with a digit": (
        shop(extract="{strategy: state, variable: '1a', fields: {a: b}}"),
        3,
        "extract.variable",
        "'1a' is not the name of a variable",
        "write it with dots",
    ),
    "a header with a space": (
        shop(extract="{strategy: http, url: '/{id}', headers: {a b: c}, fields: {a: b}}"),
        3,
        "extract.headers.a b",
        "is not the name of a header",
        "letters, digits and -",
    ),
    "a header of the connection": (
        shop(extract="{strategy: http, url: '/{id}', headers: {Accept-Encoding: br}, fields: {a: b}}"),
        3,
        "extract.headers.Accept-Encoding",
        "is set by the connection itself",
        "remove it",
    ),
    "a header in Korean": (
        shop(extract="{strategy: http, url: '/{id}', headers: {X: 한}, fields: {a: b}}"),
        3,
        "extract.headers.X",
        "characters that a header cannot carry",
        "plain ASCII",
    ),
    "two bodies": (
        shop(extract="{strategy: http, url: '/{id}', json: {a: 1}, form: {a: b}, fields: {a: b}}"),
        3,
        "extract",
        "has both json and form",
        "keep one of them",
    ),
    "a GET with a body": (
        shop(extract="{strategy: http, url: '/{id}', method: GET, json: {a: 1}, fields: {a: b}}"),
        3,
        "extract.method",
        "a GET carries no body",
        "write method: POST",
    ),
    "one request for all products": (
        shop(extract="{strategy: http, url: /api, json: {a: 1}, fields: {a: b}}"),
        3,
        "extract.url",
        "is the same for every product",
        "write {id}",
    ),
    "an id where GraphQL has its own braces": (
        shop(extract="{strategy: http, url: /api, json: {q: '{ variants {id} }'}, fields: {a: b}}"),
        3,
        "extract.url",
        "is the same for every product",
        "write {id}",
    ),
    "an unknown name in a url": (
        shop(extract="{strategy: http, url: '/api/{no}', fields: {a: b}}"),
        3,
        "extract.url",
        "no is not known",
        "name a group so in product.id",
    ),
    "an unknown name in a body": (
        shop(extract="{strategy: http, url: /api, json: {a: '{no}'}, fields: {a: b}}"),
        3,
        "extract.json",
        "no is not known",
        "write one of id, url",
    ),
    "an unknown name in a match": (
        shop(extract="{strategy: api_capture, match: '/api/{no}', fields: {a: b}}"),
        3,
        "extract.match",
        "no is not known",
        "write one of id, url",
    ),
    "a foreign host": (
        shop(extract="{strategy: http, url: 'https://b.c/{id}', fields: {a: b}}"),
        3,
        "extract.url",
        "host b.c is not one of the platform's hosts",
        "add the host to hosts, or",
    ),
    "a limit too short": (
        shop(extract="{strategy: http, url: '/{id}', within_ms: 5, fields: {a: b}}"),
        3,
        "extract.within_ms",
        "must be at least 100",
        "write at least 100",
    ),
    "a limit for elements": (
        shop(extract="{within_ms: 500, fields: {a: b}}"),
        3,
        "extract.within_ms",
        "means nothing to strategy dom",
        "use strategy api_capture",
    ),
    "a frame for JSON": (
        shop(extract="{strategy: state, script: '#data', frame: iframe, fields: {a: b}}"),
        3,
        "extract.frame",
        "means nothing to strategy state",
        "use strategy dom",
    ),
    "a frame that is no selector": (
        shop(extract="{frame: '//iframe', fields: {a: b}}"),
        3,
        "extract.frame",
        "is XPath, not CSS",
        "write a CSS selector",
    ),
    "options for elements": (
        shop(extract="{options: {a: 1}, fields: {a: b}}"),
        3,
        "extract.options",
        "means nothing to strategy dom",
        "of your own",
    ),
    "a fact that is no standard one": (
        shop(extract="{strategy: structured, fields: [name, prize]}"),
        3,
        "extract.fields.prize",
        "no fact that structured reads",
        "write one of name, brand",
    ),
    "no selector": (
        shop(extract="{fields: {a: {selector: []}}}"),
        3,
        "extract.fields.a.selector",
        "must be a selector or a list of them",
        "[h1, .name]",
    ),
    "a selector that is a number": (
        shop(extract="{fields: {a: {selector: [b, 5]}}}"),
        3,
        "extract.fields.a.selector",
        "must be a selector or a list of them",
        "[h1, .name]",
    ),
    "an empty map": (
        shop(extract="{fields: {a: {selector: b, map: {}}}}"),
        3,
        "extract.fields.a.map",
        "is empty",
        "words",
    ),
    "an empty word": (
        shop(extract="{fields: {a: {selector: b, map: {'x|': y}}}}"),
        3,
        "extract.fields.a.map.x|",
        "has an empty word",
        "before and behind each |",
    ),
    "a word that means a list": (
        shop(extract="{fields: {a: {selector: b, map: {x: [1]}}}}"),
        3,
        "extract.fields.a.map.x",
        "must mean a single value",
        "write text, a number, true or false",
    ),
    "map and equals": (
        shop(extract="{fields: {a: {selector: b, map: {x: y}, equals: z}}}"),
        3,
        "extract.fields.a.map",
        "has both map and equals",
        "keep one of them",
    ),
    "map and words that are contained": (
        shop(extract="{fields: {a: {selector: b, map: {x: y}, contains: {z: y}}}}"),
        3,
        "extract.fields.a.map",
        "has both map and contains",
        "keep one of them",
    ),
    "a path that is visible": (
        shop(extract="{strategy: jsonld, fields: {a: {path: b, visible: true}}}"),
        3,
        "extract.fields.a.visible",
        "goes with a selector",
        "remove it",
    ),
    "a text without words": (
        shop(extract="{fields: {a: {text_of: body}}}"),
        3,
        "extract.fields.a.text_of",
        "needs a map of the words",
        "add map",
    ),
    "a text with a regex": (
        shop(extract="{fields: {a: {text_of: body, map: {x: y}, regex: x}}}"),
        3,
        "extract.fields.a.regex",
        "not with text_of",
        "remove it",
    ),
    "presence with a regex": (
        shop(extract="{fields: {a: {selector: b, exists: true, regex: x}}}"),
        3,
        "extract.fields.a.regex",
        "only presence counts",
        "remove it",
    ),
    "a decimal sign of a text": (
        shop(extract="{fields: {a: {selector: b, decimal: '.'}}}"),
        3,
        "extract.fields.a.decimal",
        "numbers only",
        "add type: number",
    ),
    "broken JMESPath": (
        shop(extract="{strategy: jsonld, fields: {a: 'b[?'}}"),
        3,
        "extract.fields.a.path",
        "'b[?' is no JMESPath",
        "see jmespath.org",
    ),
    "a match that fits no URL": (
        shop(extract="{strategy: api_capture, match: 'api/{id}', fields: {a: b}}"),
        3,
        "extract.match",
        "fits no URL",
        "begin it with /",
    ),
    "a landing that fits no URL": (
        shop(judge="{landing: [event/spring]}"),
        4,
        "judge.landing.0",
        "fits no URL",
        "begin it with /",
    ),
    "a field without a name": (
        shop(extract="{fields: {'': h1}}"),
        3,
        "extract.fields",
        "has a field without a name",
        "before the colon",
    ),
    "a default where presence counts": (
        shop(extract="{fields: {a: {selector: b, exists: true, else: x}}}"),
        3,
        "extract.fields.a.else",
        "means nothing where presence counts",
        "remove it",
    ),
    "a default that is no number": (
        shop(extract="{fields: {a: {selector: b, type: number, else: none}}}"),
        3,
        "extract.fields.a.else",
        "is no number",
        "write a number",
    ),
    "JSONPath": (
        shop(extract="{strategy: jsonld, fields: {a: $.b.c}}"),
        3,
        "extract.fields.a.path",
        "is JSONPath, not JMESPath",
        "leave out the $.",
    ),
    "a function that JMESPath does not have": (
        shop(extract="{strategy: jsonld, fields: {a: 'first(b)'}}"),
        3,
        "extract.fields.a.path",
        "calls first",
        "write one of abs, avg",
    ),
    "too many arguments": (
        shop(extract="{strategy: jsonld, fields: {a: 'b[?length(c, d)]'}}"),
        3,
        "extract.fields.a.path",
        "gives length 2 arguments",
        "give it 1",
    ),
    "a template in a path": (
        shop(extract="{strategy: jsonld, fields: {a: 'b.{id}.c'}}"),
        3,
        "extract.fields.a.path",
        "{id} is not filled in here",
        "this one's is read",
    ),
    "a template in a selector": (
        shop(extract="""{fields: {a: '[data-id="{id}"] .price'}}"""),
        3,
        "extract.fields.a",
        "{id} is not filled in here",
        "by its place",
    ),
    "XPath": (shop(extract="{fields: {a: '//h1'}}"), 3, "extract.fields.a", "is XPath, not CSS", "such as h1.name"),
    "XPath as the ready sign": (
        shop(extract="{ready: '(//h1)[1]', fields: {a: b}}"),
        3,
        "extract.ready",
        "is XPath, not CSS",
        "such as h1.name",
    ),
    "a selector of another tool": (
        shop(extract="""{fields: {a: [b, {selector: 'h1:has-text("x")'}]}}"""),
        3,
        "extract.fields.a",
        ":has-text is of another tool",
        "visible: true and a map",
    ),
    "a selector that does not end": (
        shop(extract="{fields: {s: {text_of: 'div:has(> p', map: {x: y}}}}"),
        3,
        "extract.fields.s",
        "is no CSS selector",
        "mend it",
    ),
    "a script by XPath": (
        shop(extract="{strategy: state, script: //script, fields: {a: b}}"),
        3,
        "extract.script",
        "is XPath, not CSS",
        "such as h1.name",
    ),
    "a sign by a broken selector": (
        shop(judge="{sold_out: {selector: ['.a >']}}"),
        4,
        "judge.sold_out.selector.0",
        "is no CSS selector",
        "mend it",
    ),
    "a place by XPath": (
        shop(judge="{gone: {text: [{in: //p, says: x}]}}"),
        4,
        "judge.gone.text.0.in",
        "is XPath, not CSS",
        "such as h1.name",
    ),
    "an address that is in every other": (
        shop(judge="{gone: {url: [/]}}"),
        4,
        "judge.gone.url.0",
        "can never be met",
        "re:^https?://[^/]+/$",
    ),
    "a status that is never the last one": (
        shop(judge="{gone: {status: [301]}}"),
        4,
        "judge.gone.status.0",
        "redirects are followed",
        "say with url",
    ),
    "words behind every text": (
        shop(extract="{fields: {a: {selector: b, map: {'*': x, c: y}}}}"),
        3,
        "extract.fields.a.map",
        "has lines behind '*'",
        "move '*' to the end",
    ),
    "an empty key": (
        shop(extract="{strategy: jsonld, fields: {a: b..c}}"),
        3,
        "extract.fields.a.path",
        "'b..c' has an empty key",
        "single dots",
    ),
    "an id without a group": (shop(product=r"{id: '/p/\d+'}"), 4, "product.id", "names no group id", r"(?P<id>\d+)"),
    "an address without an id": (
        shop(product="{visit: 'https://www.shop.com/p'}"),
        4,
        "product.visit",
        "is the same for every product",
        "write {id}",
    ),
    "an address with an unknown name": (
        shop(product="{visit: 'https://www.shop.com/p/{no}'}"),
        4,
        "product.visit",
        "no is not known",
        "write one of id, url",
    ),
    "half an address": (
        shop(product="{visit: '/p/{id}'}"),
        4,
        "product.visit",
        "is not a whole address",
        "begin it with https:// and the host",
    ),
    "an address on a foreign host": (
        shop(product="{visit: 'https://b.c/p/{id}'}"),
        4,
        "product.visit",
        "host b.c",
        "add the host to hosts",
    ),
    "null as a sign, in the short form": (
        shop(judge="{sold_out: {name: }}"),
        4,
        "judge.sold_out.name",
        "can never hold",
        "`exists: true`",
    ),
    "null as one of several": (
        shop(judge="{sold_out: {facts: {name: [a, null]}}}"),
        4,
        "judge.sold_out.facts.name",
        "can never hold",
        "`exists: true`",
    ),
    "a value that no map gives": (
        shop(extract="{fields: {s: {selector: b, map: {x: on_sale}}}}", judge="{off_sale: {facts: {s: off_sale}}}"),
        4,
        "judge.off_sale.facts.s",
        "s is never off_sale",
        "write one of on_sale",
    ),
    "a word for a number": (
        shop(extract="{fields: {p: {selector: b, type: number}}}", judge="{off_sale: {p: none}}"),
        4,
        "judge.off_sale.p",
        "p is never none",
        "a value that the field can have",
    ),
    "a word for a presence": (
        shop(extract="{fields: {p: {selector: b, exists: true}}}", judge="{off_sale: {facts: {p: gone}}}"),
        4,
        "judge.off_sale.facts.p",
        "p is never gone",
        "write one of true, false",
    ),
    "a sign that there is not": (
        shop(judge="{gone: {txt: [x]}}"),
        4,
        "judge.gone.txt",
        "unknown key",
        "did you mean `text`?",
    ),
    "a text without brackets": (
        shop(judge="{off_sale: {text: Gone}}"),
        4,
        "judge.off_sale.text",
        "expected a list, found text 'Gone'",
        "in brackets",
    ),
    "a place that says nothing": (
        shop(judge="{gone: {text: [{in: .x}]}}"),
        4,
        "judge.gone.text.0.says",
        "is missing",
        "add the key says",
    ),
    "null by JMESPath": (
        shop(extract=HTTP, judge="{gone: {error: {path: a || b, words: [null]}}}"),
        4,
        "judge.gone.error.words",
        "null needs a plain path",
        "plain keys with dots",
    ),
    "an error without words": (
        shop(extract=HTTP, judge="{gone: {error: {path: a, words: []}}}"),
        4,
        "judge.gone.error.words",
        "is empty",
        "write the words",
    ),
    "an error where there is no JSON": (
        shop(judge="{gone: {error: {path: a, words: [x]}}}"),
        4,
        "judge.gone.error",
        "no source reads JSON",
        "add a source that does",
    ),
    "a dialog without a page": (
        shop(extract=HTTP, judge="{gone: {dialog: [x]}}"),
        4,
        "judge.gone.dialog",
        "no page is visited",
        "remove it",
    ),
    "a text without a page": (
        shop(extract=HTTP, judge="{sold_out: {text: [x]}}"),
        4,
        "judge.sold_out.text",
        "no page is visited",
        "remove it",
    ),
    "an address that is a broken expression": (
        shop(judge="{gone: {url: ['re:(']}}"),
        4,
        "judge.gone.url.0",
        "is not a regular expression",
        "mend it",
    ),
    "a tolerance in words": (
        shop(judge="{compare: {name: 2percent}}"),
        4,
        "judge.compare.name.tolerance",
        "'2percent' is no tolerance",
        "a share such as 2%",
    ),
    "a comparison of nothing": (
        shop(compare="{nam: 1}"),
        4,
        "compare.nam",
        "is not one of extract.fields",
        "write one of name",
    ),
    "a requirement of nothing": (
        shop(judge="{require: [nam]}"),
        4,
        "judge.require.nam",
        "is not one of extract.fields",
        "write one of name",
    ),
    "ok to be confirmed": (shop(judge="{confirm: [ok]}"), 4, "judge.confirm.0", "expected changed, gone", "off_sale"),
    "confirm in two places": (
        shop(confirm="[gone]", judge="{confirm: [gone]}"),
        5,
        "judge.confirm",
        "stands beside judge as well",
        "keep one of the two",
    ),
    "confirm with one attempt": (
        shop(confirm="[gone]", retry="{attempts: 1}"),
        5,
        "retry.attempts",
        "no attempt that could confirm",
        "at least 2",
    ),
    "a landing with an unknown name": (
        shop(judge="{landing: ['/x/{no}']}"),
        4,
        "judge.landing.0",
        "no is not known",
        "write one of id, url",
    ),
}


@pytest.mark.parametrize("kind", READING_MISTAKES)
def test_a_mistake_in_what_is_read_and_what_it_means_is_explained(tmp_path: Path, kind: str) -> None:
    """File, line, key, plain words, remedy; one problem for one mistake."""
    content, line, path, message, remedy = READING_MISTAKES[kind]
    write(tmp_path, {"platforms/shop.yaml": content})
    (problem,) = problems_of(tmp_path)
    assert (problem.line, problem.path) == (line, path)
    assert message in problem.message
    assert remedy in problem.remedy


ACCEPTED = {
    "a source of each kind": shop(
        hosts="[www.shop.com, api.shop.com]",
        product=r"{id: '/p/(?P<id>\d+)', visit: 'https://www.shop.com/m/{id}'}",
        extract="""
  ready: h1
  sources:
    - {strategy: http, url: 'https://api.shop.com/{id}', headers: {X-Id: '{id}'}, fields: {name: data.name}}
    - {strategy: http, url: /q, json: {query: '{ p(id: "{id}") { id } }'}, fields: {name: data.name}}
    - {strategy: http, url: /q, method: PUT, form: {id: '{id}'}, fields: {name: data.name}}
    - {strategy: api_capture, match: '**/{id}', within_ms: 900, fields: {name: a.name}}
    - {strategy: state, script: '#data', fields: {name: 'a[0].name'}}
    - {strategy: state, variable: 'window.$x.y[0].z-1', fields: {name: name}}
    - {strategy: state, document: true, fields: {name: name}}
    - {strategy: structured, fields: [name]}
    - {strategy: jsonld, fields: {name: name}}
    - {fields: {name: [h1, {selector: [h2, h3], visible: true}]}}""",
        judge="""
  gone: {url: [/today], error: {path: code, words: [null]}, dialog: [Gone]}
  sold_out: {name: Sold out}
  off_sale: {facts: {name: [a, b]}}
  landing: ['/x/{id}']""",
        compare="{name: ignore_query}",
        require="[name]",
        confirm="[changed]",
    ),
    "a field called status": shop(
        extract="{fields: {status: {selector: b, map: {x: off_sale}}}}", judge="{off_sale: {status: off_sale}}"
    ),
    "in_stock of no field": shop(judge="{sold_out: {in_stock: false}}"),
    "a boolean by a word": shop(
        extract="{fields: {b: {selector: b, type: boolean}}}", judge="{sold_out: {b: 'no'}, off_sale: {b: true}}"
    ),
    "a number by a text": shop(extract="{fields: {p: {selector: b, type: number}}}", judge="{off_sale: {p: '0원'}}"),
    "an own class with options": shop(extract="{strategy: a.B, options: {any: [thing]}, fields: {a: {selector: b}}}"),
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_what_is_right_is_accepted(tmp_path: Path, kind: str) -> None:
    """Every form that the documentation shows, however they are put together."""
    write(tmp_path, {"platforms/shop.yaml": ACCEPTED[kind]})
    assert list(load_config(tmp_path, {}).platforms) == ["shop"]


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
