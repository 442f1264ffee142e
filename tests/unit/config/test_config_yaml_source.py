"""Reading a YAML file: the values, the lines, and every way in which a file can be broken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagemill.config.yaml_source import MAX_BYTES, read_yaml


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "some.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("content", ["", "\n", "# only a comment\n", "~\n", "---\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, content: str | bytes) -> None:
    """Also one that holds comments, or nothing but a byte order mark."""
    source = read_yaml(write(tmp_path, content))
    assert (source.data, source.problems) == ({}, ())


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    """Keys of mappings and entries of lists; what is not there has the line of the nearest thing above it."""
    source = read_yaml(write(tmp_path, "\ufeff# c\na:\n  - b: 1\n    c: [x,\n        y]\nd: 2\n"))
    assert source.data == {"a": [{"b": 1, "c": ["x", "y"]}], "d": 2}
    assert source.lines == {
        (): 1,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "b"): 3,
        ("a", 0, "c"): 4,
        ("a", 0, "c", 0): 4,
        ("a", 0, "c", 1): 5,
        ("d",): 6,
    }
    assert source.line_of(("a", 0, "c", 7, "deeper")) == 4
    assert source.line_of(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("4", 4),
        ("-1", -1),
        ("0", 0),
        ("0.5", 0.5),
        ("1.5e+3", 1500.0),
        ("true", True),
        ("no", False),
        ("~", None),
        ("", None),
        ("3000-4000", "3000-4000"),
        ("127.0.0.1:8900", "127.0.0.1:8900"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("'4'", "4"),
        ("!!str 4", "4"),
    ],
)
def test_a_value_is_what_it_looks_like(tmp_path: Path, written: str, value: Any) -> None:
    """No octal numbers, no minutes and seconds, no dates: those stay text."""
    data = read_yaml(write(tmp_path, f"key: {written}\n")).data
    assert data == {"key": value}
    assert data is not None
    assert type(data["key"]) is type(value)


@pytest.mark.parametrize(
    ("content", "line", "path", "message", "remedy"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "is written twice, first in line 1", "remove one"),
        ("a:\n  b: 1\n  b: 2\n", 3, "a.b", "is written twice, first in line 2", "remove one"),
        ("a:\n\tb: 1\n", 2, "", "has a tab", "replace the tab by spaces"),
        ("a:\tb\n", 1, "", "has a tab", "replace the tab by spaces"),
        ("- 1\n- 2\n", 1, "", "is not a mapping", "write keys with values"),
        ("\njust text\n", 2, "", "is not a mapping", "write keys with values"),
        (b"a: 1\nb: \xff\n", 2, "", "is not UTF-8", "save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "", "is not UTF-8", "save the file as UTF-8"),
        ("a: 1\nb: \x00\n", 2, "", "character that YAML does not allow", "remove it"),
        ("a: 1\n b: 2\n", 2, "", "is not correct YAML: mapping values", "indentation"),
        ("a: {b: 1\n", 2, "", "is not correct YAML: expected", "brackets"),
        ("a: 'open\n", 2, "", "is not correct YAML: found unexpected end", "quotes"),
        ("a: @b\n", 1, "", "cannot start any token", "in quotes"),
        ("a: 1\n---\nb: 2\n", 2, "", "more than one document", "remove the line ---"),
        ("a: &x 1\nb: *x\n", 2, "", "an alias", "write the value out"),
        ("a: *nowhere\n", 1, "", "an alias", "write the value out"),
        ("a: 1\nb: " + "[" * 200, 2, "", "more than 30 levels", "brackets"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "", "the tag !!python/", "remove it"),
        ("a: !own x\n", 1, "", "the tag !own is not supported", "remove it"),
        ("!!set {a}\n", 1, "", "the tag !!set is not supported", "remove it"),
        ("a: !!int x\n", 1, "", "cannot be read as !!int", "quotes"),
        ("a: !!bool x\n", 1, "", "cannot be read as !!bool", "quotes"),
        ("a: " + "9" * 5000, 1, "", "cannot be read as !!int", "quotes"),
        ("a:\n  404: x\n", 2, "a", "the key 404 is not text", "quotes around it"),
        ("yes: x\n", 1, "", "the key yes is not text", "quotes around it"),
        ("[a]: x\n", 1, "", "a list or a mapping stands where a key should", "quotes"),
    ],
)
def test_a_broken_file_is_explained(
    tmp_path: Path, content: str | bytes, line: int, path: str, message: str, remedy: str
) -> None:
    """File, line, key, what is wrong and what to do."""
    file = write(tmp_path, content)
    (problem,) = read_yaml(file).problems
    assert (problem.file, problem.line, problem.path) == (str(file), line, path)
    assert message in problem.message
    assert remedy in problem.remedy


def test_of_a_key_written_twice_the_first_value_counts(tmp_path: Path) -> None:
    """So that the rest of the file can still be checked."""
    assert read_yaml(write(tmp_path, "a: 1\na: 2\nb: 3\n")).data == {"a": 1, "b": 3}


def test_aliases_cannot_make_a_small_file_large(tmp_path: Path) -> None:
    """Nine lines that would stand for a billion values."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    source = read_yaml(write(tmp_path, "\n".join(lines)))
    assert source.data is None
    assert source.problems[0].line == 2


def test_a_file_larger_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    """Unread; one of exactly that size is read."""
    (problem,) = read_yaml(write(tmp_path, "#" * (MAX_BYTES + 1))).problems
    assert problem.message == "is larger than 1 MiB"
    assert read_yaml(write(tmp_path, "#" * MAX_BYTES)).data == {}


def test_what_is_no_file_is_a_problem(tmp_path: Path) -> None:
    """A folder, or nothing at all."""
    for path in (tmp_path, tmp_path / "absent.yaml"):
        (problem,) = read_yaml(path).problems
        assert (problem.file, problem.line) == (str(path), None)
        assert "is not a file" in problem.message


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's reason."""
    file = write(tmp_path, "a: 1\n")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    (problem,) = read_yaml(file).problems
    assert "Permission denied" in problem.message
    assert "who may read it" in problem.remedy


@given(content=st.one_of(st.binary(max_size=60), st.text("ab:-[]{}&*!|>'\"#%@,? \n\t", max_size=40).map(str.encode)))
def test_no_content_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """There is always data or a problem, and each problem has a message and a remedy."""
    source = read_yaml(write(tmp_path_factory.getbasetemp(), content))
    assert source.data is not None or source.problems
    for problem in source.problems:
        assert re.search(r"\w", problem.message)
        assert problem.remedy
