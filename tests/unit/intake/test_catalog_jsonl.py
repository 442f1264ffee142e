"""JSON lines catalogues, and what is common to all files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagemill.errors import UsageError
from pagemill.intake.catalog import read_catalog
from pagemill.model import Product
from tests.unit.intake.intake_values import PLATFORM, read_all, read_text, url

U = url("x")


def test_a_line_becomes_a_product_with_typed_values(tmp_path: Path) -> None:
    """Types of JSON are kept where they fit; text is read like a cell; null and empty are not expected."""
    text = (
        '\ufeff{"id": 17, "url": "URL", "price": 12900, "in_stock": false, "name": null}\n'
        "\n"
        '{"id": "B", "url": "URL", "price": "12.5", "sale": "yes", "name": " a\\u3000 b ", "image": ""}'
    )

    products, bad = read_text(tmp_path, "c.jsonl", text.replace("URL", U))

    assert bad == []
    assert products == [
        Product("17", U, {"price": 12900, "in_stock": False}),
        Product("B", U, {"price": 12.5, "sale": True, "name": "a b"}),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is not JSON"),
        ('{"id": "A"', "it is not JSON"),
        ("[1]", "not a JSON object"),
        ('"A"', "not a JSON object"),
        ("null", "not a JSON object"),
        ('{"url": "URL"}', "no id"),
        ('{"id": null, "url": "URL"}', "no id"),
        ('{"id": true, "url": "URL"}', "no id"),
        ('{"id": ["A"], "url": "URL"}', "no id"),
        ('{"id": "A", "url": 5}', "no url"),
        ('{"id": "A\\u0000", "url": "URL"}', "control characters"),
        ('{"id": "A\\ud800", "url": "URL"}', "control characters"),
        ('{"id": "A", "url": "https://www.shop.com/\\ud800"}', "not a URL"),
        ('{"id": "A", "url": "URL", "name": "\\ud800"}', "name: holds characters that are not text"),
        ('{"id": "A", "url": "URL", "name": true}', "name: 'True' is not text"),
        ('{"id": "A", "url": "URL", "name": ["a"]}', "name: is a list or an object"),
        ('{"id": "A", "url": "URL", "price": true}', "price: 'True' is not a number"),
        ('{"id": "A", "url": "URL", "price": NaN}', "NaN is not a number"),
        ('{"id": "A", "url": "URL", "price": 1e999}', "price: 'inf' is not a number"),
        ('{"id": "A", "url": "URL", "price": NINES}'.replace("NINES", "9" * 40), "is not a number"),
        ('{"id": "A", "url": "URL", "price": NINES}'.replace("NINES", "9" * 5000), "not JSON"),
        ('{"id": "A", "url": "URL", "in_stock": "maybe"}', "in_stock: 'maybe' is neither true nor false"),
        ('{"id": "A", "url": "URL", "in_stock": 2}', "neither true nor false"),
        ('{"a":' * 100_000, "nested too deeply"),
        (f'{{"id": "{"x" * 1_000_000}"}}', "longer than a million characters"),
    ],
)
def test_a_bad_line_is_reported_and_the_others_are_read(tmp_path: Path, line: str, reason: str) -> None:
    """One report, at its line."""
    lines = ('{"id": "B", "url": "URL"}', line, '{"id": "C", "url": "URL"}')

    products, bad = read_text(tmp_path, "c.ndjson", "\n".join(lines).replace("URL", U))

    assert [product.id for product in products] == ["B", "C"]
    assert [entry.line for entry in bad] == [2]
    assert reason in bad[0].reason


def test_a_line_that_is_not_utf8_is_one_bad_row(tmp_path: Path) -> None:
    """A single wrong byte does not cost the file."""
    products, bad = read_text(tmp_path, "c.jsonl", b'{"id": "\xff"}\n' + b'{"id": "B", "url": "%s"}\n' % U.encode())

    assert [product.id for product in products] == ["B"]
    assert [entry.line for entry in bad] == [1]
    assert bad[0].reason.startswith("it is not UTF-8: ")


def test_unknown_keys_are_reported_once_each_and_not_without_end(tmp_path: Path) -> None:
    """A file with a new key in every line fills neither the log nor the memory."""
    lines = [{"id": str(number), "url": U, "brand": "x", f"key{number}": 1} for number in range(300)]

    products, bad = read_text(tmp_path, "c.jsonl", "".join(json.dumps(line) + "\n" for line in lines))

    assert len(products) == 300
    assert sum("'brand'" in entry.reason for entry in bad) == 1
    assert len(bad) == 100
    assert not any(entry.row_skipped for entry in bad)


@pytest.mark.parametrize("name", ["c.xlsx", "c", "c.json", "csv"])
def test_an_unknown_kind_of_file_is_a_usage_error(tmp_path: Path, name: str) -> None:
    """At once, with the endings that are known."""
    (tmp_path / name).write_text("id,url\n")
    with pytest.raises(UsageError, match=r"must end in \.csv, \.tsv, \.jsonl, \.ndjson"):
        read_catalog(tmp_path / name, PLATFORM, print)


def test_a_missing_file_and_a_folder_are_usage_errors(tmp_path: Path) -> None:
    """At once, before anything is read."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="does not exist"):
        read_catalog(tmp_path / "nowhere.csv", PLATFORM, print)
    with pytest.raises(UsageError, match="is a folder"):
        read_catalog(tmp_path / "folder.csv", PLATFORM, print)


def test_a_file_that_must_not_be_read_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason of the system."""
    path = tmp_path / "c.csv"
    path.write_text("id,url\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(UsageError, match=r"c\.csv cannot be read: Permission denied"):
        read_all(path)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXT,
        "price": st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        "in_stock": st.booleans() | st.none(),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(VALUES, max_size=20), ascii_only=st.booleans())
def test_whatever_json_can_say_is_read_back(tmp_path: Path, rows: list[dict[str, object]], ascii_only: bool) -> None:
    """Any text and any number, escaped or not."""
    lines = [json.dumps({"id": str(n), "url": U, **row}, ensure_ascii=ascii_only) for n, row in enumerate(rows)]

    products, bad = read_text(tmp_path, "c.jsonl", "\n".join(lines))

    assert bad == []
    assert [product.id for product in products] == [str(number) for number in range(len(rows))]
    for product, row in zip(products, rows, strict=True):
        wanted = {key: " ".join(value.split()) if isinstance(value, str) else value for key, value in row.items()}
        assert product.expected == {key: value for key, value in wanted.items() if value is not None and value != ""}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300) | st.text('{}[]":,1a\n\\u', max_size=60).map(str.encode))
def test_no_content_crashes_the_reader(tmp_path: Path, content: bytes) -> None:
    """Whatever a file holds is a product, a bad row or nothing."""
    products, bad = read_text(tmp_path, "c.jsonl", content)

    assert len(products) + len(bad) <= content.count(b"\n") + 1
