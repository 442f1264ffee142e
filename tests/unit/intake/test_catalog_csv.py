"""CSV and TSV catalogues: what is read, what is reported, at which line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagemill.errors import UsageError
from pagemill.model import Product
from tests.unit.intake.intake_values import PLATFORM, read_text, url

U = url("x")


def test_a_row_becomes_a_product_with_typed_values(tmp_path: Path) -> None:
    """Text is tidied, numbers and booleans are what they say, empty cells are not expected."""
    products, bad = read_text(
        tmp_path,
        "c.csv",
        "id,url,name,price,in_stock,sale,image\n"
        f"A1,{url('A1')},  흰   셔츠 ,12900,true,no,\n"
        f"A2,{url('A2')},,12.50,,,/a.png\n",
    )

    assert bad == []
    assert products == [
        Product("A1", url("A1"), {"name": "흰 셔츠", "price": 12900, "in_stock": True, "sale": False}),
        Product("A2", url("A2"), {"price": 12.5, "image": "/a.png"}),
    ]
    assert isinstance(products[0].expected["price"], int)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiter_bom_and_line_ends_do_not_matter(tmp_path: Path, delimiter: str, bom: bytes, line_end: str) -> None:
    """Each of them alone and together; the other delimiters may stand inside of cells."""
    rows = [["id", "url", "name"], ["A1", U, "a,b;c\td"], ["A2", U, "x"]]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end).writerows(rows)

    products, bad = read_text(tmp_path, "c.csv", bom + out.getvalue().encode())

    assert bad == []
    assert [(product.id, product.expected["name"]) for product in products] == [("A1", "a,b;c d"), ("A2", "x")]


def test_a_tsv_file_and_capital_letters_in_its_header(tmp_path: Path) -> None:
    """`ID` and `URL` are what Korean spreadsheets often say; columns may be in any order."""
    products, bad = read_text(tmp_path, "c.TSV", f"URL\tprice\tID \n{U}\t5\tA\n")
    assert (products, bad) == ([Product("A", U, {"price": 5})], [])


def test_line_numbers_count_lines_and_not_rows(tmp_path: Path) -> None:
    """A quoted line break, a blank line: the report still names the line where the bad row begins."""
    products, bad = read_text(
        tmp_path,
        "c.csv",
        f'\nid,url,name\nA,{U},"two\nlines"\n\n,{U},no id\nB,{U},"a\r\nb"\nC,nonsense,"x\ny"\nD,{U},d\n',
    )

    assert [product.id for product in products] == ["A", "B", "D"]
    assert products[0].expected == {"name": "two lines"}
    assert [(row.line, row.reason) for row in bad] == [
        (6, "no id"),
        (9, PLATFORM.host_rules().refusal("nonsense")),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f",{U},1", "no id"),
        (f"  ,{U},1", "no id"),
        ("A,,1", "no url"),
        ("A,https://www.shop.com/a b,1", "not a URL"),
        (f"A,https://www.shop.com/{'x' * 8000},1", "longer than 8000"),
        (f"{'x' * 201},{U},1", "longer than 200"),
        (f"A\x07,{U},1", "control characters"),
        (f'A,{U},"12,900원"', "price: '12,900원' is not a number: write one such as 12900"),
        (f"A,{U},inf", "is not a number"),
        (f"A,{U},1e999", "is not a number"),
        (f"A,{U},١٢", "is not a number"),
        (f"A,{U}", "2 cells, where the header has 3 columns"),
        (f"A,{U},1,2", "4 cells, where the header has 3 columns"),
        (f"A,{U},\x00", "NUL"),
        (f'A,{U},"1"2', "expected after"),
        (f'A,{U},"{"x" * 140_000}"', "more than 131072 characters"),
        (f"A,{U},{'x' * 1_000_001}", "longer than a million characters"),
    ],
)
def test_a_bad_row_is_reported_and_the_others_are_read(tmp_path: Path, row: str, reason: str) -> None:
    """One report, at its line, with a reason that a person can act on."""
    products, bad = read_text(tmp_path, "c.csv", f"id,url,price\nB,{U},1\n{row}\nC,{U},2\n")

    assert [product.id for product in products] == ["B", "C"]
    assert [(entry.line, entry.row_skipped) for entry in bad] == [(3, True)]
    assert reason in bad[0].reason
    assert str(bad[0]).startswith("line 3: ")


@pytest.mark.parametrize(
    "refused",
    [
        "/p/1",
        "https://[",
        "ftp://www.shop.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://www.other.com/1",
        "http://169.254.169.254/",
        "http://127.0.0.1:8901/",
        "https://me@www.shop.com/",
    ],
)
def test_a_url_that_the_platform_refuses_is_a_bad_row(tmp_path: Path, refused: str) -> None:
    """With the reason that the platform's hosts give."""
    products, bad = read_text(tmp_path, "c.csv", f"id,url\nA,{refused}\n")

    assert products == []
    assert [entry.reason for entry in bad] == [PLATFORM.host_rules().refusal(refused)]


def test_a_row_that_is_not_utf8_is_one_bad_row(tmp_path: Path) -> None:
    """A single wrong byte does not cost the file."""
    content = f"id,url,name\nA,{U},".encode() + "셔츠".encode("cp949") + f"\nB,{U},셔츠\n".encode()

    products, bad = read_text(tmp_path, "c.csv", content)

    assert [product.id for product in products] == ["B"]
    assert [entry.line for entry in bad] == [2]
    assert bad[0].reason.startswith("it is not UTF-8: ")


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_rows_silently(tmp_path: Path) -> None:
    """The report says which lines are skipped."""
    products, bad = read_text(tmp_path, "c.csv", f'id,url,name\nA,{U},a\nB,{U},"oops\nC,{U},c\nD,{U},d\n')

    assert [product.id for product in products] == ["A"]
    assert [(entry.line, entry.reason) for entry in bad] == [
        (3, "a quotation mark is never closed (lines 3 to 5 are skipped)")
    ]


def test_after_an_endless_cell_reading_goes_on(tmp_path: Path) -> None:
    """The damage of a stray quotation mark in a large file ends somewhere."""
    rows = "".join(f"P{number},{U},{'x' * 1000}\n" for number in range(200))

    products, bad = read_text(tmp_path, "c.csv", f'id,url,name\nA,{U},"oops\n{rows}')

    assert bad[0].line == 2
    assert "never closed" in bad[0].reason
    assert 50 < len(products) < 100
    assert products[-1].id == "P199"


def test_a_duplicate_id_names_the_line_of_the_first(tmp_path: Path) -> None:
    """A bad row does not take an id away from a good one."""
    products, bad = read_text(
        tmp_path, "c.csv", f"id,url\nA,nonsense\nA,{url('first')}\nB,{U}\nA,{url('second')}\na,{U}\n"
    )

    assert [(product.id, product.url) for product in products] == [("A", url("first")), ("B", U), ("a", U)]
    assert [(entry.line, entry.reason) for entry in bad][1:] == [(5, "id 'A' is in line 3 already")]


def test_an_unknown_column_is_reported_once_and_its_rows_are_read(tmp_path: Path) -> None:
    """With the nearest known field; a column without a name is nobody's mistake."""
    products, bad = read_text(tmp_path, "c.csv", f",id,url,prcie,name\n0,A,{U},5,a\n1,B,{U},6,b\n")

    assert [product.expected for product in products] == [{"name": "a"}, {"name": "b"}]
    (report,) = bad
    assert not report.row_skipped
    assert "'prcie'" in report.reason
    assert "did you mean 'price'?" in report.reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n1,2\n", "no column id and no column url"),
        (b"id,link\n1,2\n", "no column url"),
        (b"id,url,id\n", "column id twice"),
        ("id,url,이름\n".encode("utf-16"), "not UTF-8"),
        ("id,url,이름\n".encode("cp949"), "not UTF-8"),
    ],
)
def test_a_header_of_no_use_is_a_usage_error(tmp_path: Path, content: bytes, message: str) -> None:
    """The message names the file and what its first line must be."""
    with pytest.raises(UsageError, match=message) as raised:
        read_text(tmp_path, "c.csv", content)

    assert "c.csv" in str(raised.value)


IDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), min_size=1, max_size=30
).filter(lambda text: text == text.strip())
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
PRICES = st.none() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(IDS, NAMES, PRICES), unique_by=lambda row: row[0]), delimiter=st.sampled_from(",;\t"))
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str, float | None]], delimiter: str
) -> None:
    """Any text in any cell, quoted as the standard library quotes it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "url", "name", "price"])
    for product_id, name, price in rows:
        writer.writerow([product_id, U, name, "" if price is None else repr(price)])

    products, bad = read_text(tmp_path, "c.csv", out.getvalue())

    assert bad == []
    assert [product.id for product in products] == [row[0] for row in rows]
    for product, (_, name, price) in zip(products, rows, strict=True):
        assert product.expected.get("name", "") == " ".join(name.split())
        assert product.expected.get("price") == price


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300) | st.text('a1,;"\r\n\t\x00', max_size=60).map(str.encode))
def test_no_content_crashes_the_reader(tmp_path: Path, body: bytes) -> None:
    """Whatever stands below a good header is a product, a bad row or nothing, in the order of the lines."""
    products, bad = read_text(tmp_path, "c.csv", b"id,url\n" + body)

    assert all(product.id and product.url for product in products)
    assert [entry.line for entry in bad] == sorted(entry.line for entry in bad)
