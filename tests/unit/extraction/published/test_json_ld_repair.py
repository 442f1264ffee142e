"""JSON-LD scripts are read as far as they can mean one thing only; the rest is told as broken, with its place."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.errors import BrokenJsonLd
from pagemill.extraction.published.json_ld import read_json_ld

MUG: dict[str, Any] = {"@type": "Product", "name": "Mug", "offers": {"price": 7.5}}
TEXT = json.dumps(MUG)


@pytest.mark.parametrize(
    "script",
    [
        TEXT,
        f"\ufeff {TEXT}\n",
        f"{TEXT};",
        f"<!-- about the mug -->\n{TEXT}",
        f"<!--\n{TEXT}\n-->",
        f"<!--\n{TEXT}\n//-->",
        f"<!--//--> {TEXT}",
        f"<!-- {TEXT}",
        f"//<![CDATA[\n{TEXT}\n//]]>",
        f"/*<![CDATA[*/ {TEXT} /*]]>*/",
        f"<![CDATA[{TEXT}]]>",
        f"// the mug\n{TEXT} // no more",
        f"/* {{not this}} */{TEXT}",
        f"var mug = {TEXT};",
        f"window.mug={TEXT}",
        '{"@type":"Product","name":"Mug","offers":{"price":7.50,},}',
        '{"@type":"Product",/* name */"name":"Mug", // "name": "Cup",\n"offers":{"price":7.50}}',
        "{'@type':'Product','name':'Mug','offers':{'price':7.50}}",
        '{"@type":"Product",name:"Mug",offers:{price:7.50}}',
        json.dumps(TEXT),
        TEXT.replace('"', "&quot;"),
        f"{TEXT}}}",
    ],
)
def test_reads_what_can_mean_one_thing_only(script: str) -> None:
    """Comments, marks around the script, commas too many, other quotes."""
    assert read_json_ld(script) == [MUG]


@pytest.mark.parametrize(
    ("script", "documents"),
    [
        ('{"a":1}{"b":2}', [{"a": 1}, {"b": 2}]),
        ('{"a":1},\n{"b":2},', [{"a": 1}, {"b": 2}]),
        ('[{"a":1},]\n{"b":2}', [[{"a": 1}], {"b": 2}]),
        ('<!-- {"a":1} -->\n{"b":2}', [{"b": 2}]),
        ("", []),
        (" \n\t", []),
        ("<!-- nothing -->", []),
        ("/* nothing */", []),
        ("null", [None]),
    ],
)
def test_reads_any_number_of_documents(script: str, documents: list[Any]) -> None:
    """One after the other; what is commented out is not there."""
    assert read_json_ld(script) == documents


@pytest.mark.parametrize(
    ("script", "value"),
    [
        (r'{"a":"Kid\'s \d \x41"}', "Kid's d A"),
        (r'{"a":"say \"hi\" \\ \/ \u00e9"}', 'say "hi" \\ / é'),
        ('{"a":"one\ntwo\tthree"}', "one\ntwo\tthree"),
        ('{"a":"http://x/y","b":1,}', "http://x/y"),
        ("{'a':'http://x/[y','b':1}", "http://x/[y"),
        ('{"a":"<!-- kept --> /* kept */",}', "<!-- kept --> /* kept */"),
        ('{"a":012.50,}', "012.50"),
        ('{"a":-0.5,"b":[],}', -0.5),
    ],
)
def test_keeps_what_stands_in_texts(script: str, value: object) -> None:
    """Wrong escapes lose their backslash, and numbers are not taken for octal ones."""
    assert read_json_ld(script)[0]["a"] == value


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('{"a":"x"\n"b":1}', r"line 2, column 1, at `\"b\":1}`: Expecting ',' delimiter"),
        ('{"a":[{"x":1} {"y":2}]}', "line 1, column 15"),
        ('{"a":1,250.00,"b":2}', "line 1, column 8"),
        ('{"a":"a 17" screen","b":2}', "line 1, column 13"),
        ('{"a":"the "best" mug","b":2}', "line 1, column 12"),
        ('{"a":,"b":2}', "line 1, column 6.*Expecting value"),
        ('{"a":{"b":1}', "Expecting"),
        ('{"a":"x', "line 1, column 6"),
        ('{"a":1},\n"b":{"c":2}}', "line 2, column 1.*outside"),
        ("<p>Not found</p>", "line 1, column 1.*outside"),
        ('{"a":{{ price }},"b":1}', "line 1"),
        ('{"a":1} /* {"b":2}', "comment that does not end"),
        ("[" * 100_000, "deeply"),
        (f'{{"a":{"9" * 5000}}}', "digits"),
    ],
)
def test_tells_what_is_broken_and_where(script: str, told: str) -> None:
    """Nothing of it is guessed."""
    with pytest.raises(BrokenJsonLd, match=told):
        read_json_ld(script)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_never_changes_what_is_right(value: Any) -> None:
    """JSON with one comma too many means what it means without."""
    script = json.dumps([value])
    assert read_json_ld(script) == [[value]]
    assert read_json_ld(f"// mug\n{script[:-1]},]") == [[value]]


@given(st.text("{}[]\"':,\\/ \n01tfnu.-+eEx<!>*`=", max_size=40))
def test_reads_any_text_or_tells_that_it_is_broken(script: str) -> None:
    """Whatever a page writes."""
    try:
        read_json_ld(script)
    except BrokenJsonLd as error:
        assert str(error)


@pytest.mark.parametrize(
    "piece", ['"\\', "{", "<!--", "/*", "//", '"', "a=", "a", "{'", ",", "[{", "-->", "]]>", "*/{"]
)
def test_takes_time_linear_in_the_script(piece: str) -> None:
    """Where every place could begin something that never ends."""
    script = "{" + piece * (300_000 // len(piece))
    started = time.monotonic()
    with pytest.raises(BrokenJsonLd):
        read_json_ld(script)
    assert time.monotonic() - started < 2
