"""Catalogues as spreadsheets of other countries write them: delimiters, decimal commas, headers, encodings."""

from __future__ import annotations

import codecs
from contextlib import suppress
from encodings.aliases import aliases
from pathlib import Path
from typing import Any

import pytest

from pagemill.errors import UsageError
from pagemill.intake.catalog import read_catalog
from pagemill.intake.rows import BadRow
from pagemill.intake.text_file import known_encoding
from pagemill.model import Product
from tests.unit.intake.intake_values import PLATFORM, url

U = url("x")
NO_TEXT = {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
"""Codecs that make bytes of bytes, or text of text."""
ELSEWHERE = {"mbcs"}
"""Known on Windows only."""


def read(tmp_path: Path, content: str | bytes, name: str = "c.csv", **form: Any) -> tuple[list[Product], list[BadRow]]:
    """Products and what was told of a file with that content."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    told: list[BadRow] = []
    return list(read_catalog(path, PLATFORM, told.append, **form)), told


def prices(products: list[Product]) -> list[object]:
    return [product.expected.get("price") for product in products]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_are_read_and_told_once(tmp_path: Path, delimiter: str) -> None:
    """Columns that no comma parts may have them; the first one tells how all are read."""
    rows = ["id;url;price", f"A;{U};12900", f"B;{U};12,90", f"C;{U};1.234,50", f"D;{U};12.90"]
    products, told = read(tmp_path, "\n".join(rows).replace(";", delimiter))
    assert prices(products) == [12900, 12.9, 1234.5, 12.9]
    (remark,) = told
    assert (remark.line, remark.row_skipped) == (3, False)
    assert "'12,90' is read as 12.9" in remark.reason
    assert "--decimal" in remark.reason


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("text", ["1.234", "1,234"])
def test_what_may_be_two_numbers_is_a_bad_row_until_somebody_says(tmp_path: Path, delimiter: str, text: str) -> None:
    """A thousand won are not one, so nothing is guessed; and what was said is not told."""
    content = f"id;url;price\nA;{U};{text}\nB;{U};5".replace(";", delimiter)
    products, told = read(tmp_path, content)
    assert prices(products) == [5]
    assert [(row.line, row.row_skipped) for row in told] == [(2, True)]
    assert "--decimal . or --decimal ," in told[0].reason
    by_point = read(tmp_path, content, decimal=".")
    by_comma = read(tmp_path, content, decimal=",")
    assert (prices(by_point[0]), by_point[1]) == ([1.234 if "." in text else 1234, 5], [])
    assert (prices(by_comma[0]), by_comma[1]) == ([1.234 if "," in text else 1234, 5], [])


def test_commas_that_part_columns_leave_numbers_plain(tmp_path: Path) -> None:
    """As programs write them; other numbers are bad rows whose remedy is named, and can be read when it is said how."""
    content = f'id,url,price\nA,{U},1.234\nB,{U},"12,90"\nC,{U},"12,900"\n'
    products, told = read(tmp_path, content)
    assert prices(products) == [1.234]
    assert [(row.line, "--decimal" in row.reason) for row in told] == [(3, True), (4, True)]
    products, told = read(tmp_path, content, decimal=".")
    assert (prices(products), [row.line for row in told]) == ([1.234, 12900], [3])


def test_json_lines_have_plain_numbers_unless_told(tmp_path: Path) -> None:
    """Only texts are read so: a number of JSON has a point."""
    content = f'{{"id": 1, "url": "{U}", "price": "1,5"}}\n{{"id": 2, "url": "{U}", "price": 1.234}}\n'
    assert [row.line for row in read(tmp_path, content, "c.jsonl")[1]] == [1]
    products, told = read(tmp_path, content, "c.jsonl", decimal=",")
    assert (prices(products), told) == ([1.5, 1.234], [])


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_headers_may_have_capitals_and_spaces(tmp_path: Path, name: str) -> None:
    """They name the same fields."""
    content = f" ID ,Url,Price, IN_STOCK ,NAME\nA,{U},5,yes,컵\n"
    if name == "c.jsonl":
        content = f'{{" ID ": "A", "Url": "{U}", "Price": 5, " IN_STOCK ": true, "NAME": "컵"}}\n'
    products, told = read(tmp_path, content, name)
    assert products == [Product("A", U, {"price": 5, "in_stock": True, "name": "컵"})]
    assert told == []


def test_two_columns_of_one_field_are_told(tmp_path: Path) -> None:
    """Neither takes the other's place without a word: the one that is written as the field is it."""
    products, told = read(tmp_path, f"id,url,PRICE,price\nA,{U},5,6\n")
    assert prices(products) == [6]
    assert [row.row_skipped for row in told] == [False]
    assert "'PRICE' is not one of the fields" in told[0].reason
    products, told = read(tmp_path, f"id,url,PRICE,Price\nA,{U},5,6\nB,{U},5,\n")
    assert prices(products) == [5]
    assert [(row.line, row.reason) for row in told] == [
        (2, "columns 'PRICE' and 'Price' are both price: rename or remove one")
    ]


@pytest.mark.parametrize(
    "encoding", ["cp949", "euc-kr", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "utf-8", "utf-7"]
)
@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_any_encoding_that_python_knows_is_read(tmp_path: Path, encoding: str, name: str) -> None:
    """With its BOM, where it has one."""
    text = f"id,url,name\nA,{U},셔츠 商品\n"
    if name == "c.jsonl":
        text = f'{{"id": "A", "url": "{U}", "name": "셔츠 商品"}}\n'
    bom = "\ufeff" if encoding in ("utf-16-le", "utf-8") else ""
    products, told = read(tmp_path, (bom + text).encode(encoding), name, encoding=encoding)
    assert (products, told) == ([Product("A", U, {"name": "셔츠 商品"})], [])


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl"])
def test_a_row_that_does_not_decode_names_its_line_and_the_remedy(tmp_path: Path, name: str) -> None:
    """Whether or not an encoding was said; the other rows are read."""
    row = '{{"id": "{0}", "url": "{1}", "name": "{2}"}}' if name == "c.jsonl" else "{0},{1},{2}"
    head = b"" if name == "c.jsonl" else b"id,url,name\n"
    content = head + row.format("A", U, "뷁").encode("cp949") + b"\n" + row.format("B", U, "x").encode() + b"\n"
    line = 1 if name == "c.jsonl" else 2
    products, told = read(tmp_path, content, name)
    assert [product.id for product in products] == ["B"]
    assert [(each.line, each.row_skipped) for each in told] == [(line, True)]
    assert told[0].reason.startswith("it is not UTF-8: name the file's encoding with --encoding, such as cp949")
    products, told = read(tmp_path, content, name, encoding="euc-kr")
    assert [product.id for product in products] == ["B"]
    assert [each.line for each in told] == [line]
    assert told[0].reason.startswith("it is not euc-kr: name the file's encoding with --encoding")


def test_a_wrong_byte_of_utf_16_costs_one_row(tmp_path: Path) -> None:
    """There a byte that is none has any value, also that of a letter."""
    rows = [f"id,url,name\nA,{U},", f"\nB,{U},컵\n"]
    content = rows[0].encode("utf-16") + b"\x41\xd8" + rows[1].encode("utf-16-le")
    products, told = read(tmp_path, content, encoding="utf-16")
    assert [product.id for product in products] == ["B"]
    assert [each.line for each in told] == [2]


@pytest.mark.parametrize(
    ("content", "encoding", "told"),
    [
        ("id,url,이름\n".encode("utf-16"), "", "c.csv is not UTF-8 text: name its encoding with --encoding utf-16"),
        ("id,url,이름\n".encode("cp949"), "", "c.csv is not UTF-8 text: name the file's encoding with --encoding"),
        ("id,url,뷁\n".encode("cp949"), "euc-kr", "c.csv is not euc-kr text: name the file's encoding with --encoding"),
        (b"id,url\nA,b", "utf-16", "from line 1 on the file is not utf-16: .*Name its encoding with --encoding"),
        (b"id,url\n", "cp950000", "there is no encoding 'cp950000': name the file's encoding"),
        (b"id,url\n", "rot13", "there is no encoding 'rot13'"),
        (b"id,url\n", "hex", "there is no encoding 'hex'"),
        (b"id,url\n", "idna", "there is no encoding 'idna'"),
        (b"id,url\n", "punycode", "there is no encoding 'punycode'"),
        (b"id,url\n", "undefined", "there is no encoding 'undefined'"),
        (b"id,url\n", "a\x00b", "there is no encoding"),
    ],
)
def test_a_file_of_another_encoding_is_told(tmp_path: Path, content: bytes, encoding: str, told: str) -> None:
    """With the line where it matters, and what to do."""
    with pytest.raises(UsageError, match=told):
        read(tmp_path, content, encoding=encoding)


@pytest.mark.parametrize("encoding", sorted({*aliases.values(), "utf-8-sig"}))
def test_an_encoding_that_is_known_reads_whatever_comes(tmp_path: Path, encoding: str) -> None:
    """Bytes that are none of its text make bad rows, or a mistake that is told; nothing else goes wrong."""
    try:
        known = known_encoding(encoding)
    except UsageError:
        assert encoding in NO_TEXT | ELSEWHERE
        return
    content = "id,url,name\n".encode(known) + bytes(range(256)) * 40 + f"\nA,{U},x\n".encode(known)
    with suppress(UsageError):
        read(tmp_path, content, encoding=encoding)
    assert codecs.getincrementaldecoder(known)("replace").decode(content, True)


@pytest.mark.parametrize(("mark", "line"), [(";", "sep=;"), ("\t", "sep=\t"), ("|", "SEP=|"), (",", '"sep=,"')])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_first_line_may_name_the_delimiter(tmp_path: Path, mark: str, line: str, bom: str) -> None:
    """As Excel writes it, and reads it."""
    content = bom + f"{line}\r\nid;url;price\r\nA;{U};5\r\n;{U};5\r\n".replace(";", mark)
    products, told = read(tmp_path, content)
    assert prices(products) == [5]
    assert [(each.line, each.reason) for each in told] == [(4, "no id")]


def test_a_table_has_no_encoding(tmp_path: Path) -> None:
    """Saying one is a mistake."""
    with pytest.raises(UsageError, match="leave --encoding out"):
        read_catalog("sql:products", PLATFORM, print, encoding="cp949")
