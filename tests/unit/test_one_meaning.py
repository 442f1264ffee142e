"""Holds that a word means one thing: no two modules have a public type or function of the same name, and no two lines
of the glossary explain the same word.

What may repeat: commands (`cli`) and routes are named after what they do for who calls them, a program's entrance is
`main`, and each practice shop has its `answer`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

ROUTES = frozenset({"get", "post", "put", "patch", "delete"})
FAMILIES = frozenset({("pagemill.demo.shops", "answer")})
"""Functions that several modules of a folder have on purpose: who calls them has one of these modules in hand."""


def public_names(module: str, text: str) -> Iterator[str]:
    """The types (classes, and aliases in their spelling) and the functions at the top of a module."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (each.id for each in targets if isinstance(each, ast.Name))
            yield from (name for name in names if name[0].isupper() and not name.isupper())
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not may_repeat(module, node):
            yield node.name


def may_repeat(module: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    is_route = any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in ROUTES
        for each in node.decorator_list
    )
    in_family = (module.rpartition(".")[0], node.name) in FAMILIES
    return is_route or in_family or node.name == "main" or module.startswith("pagemill.cli.")


def find_homonyms(source: Path) -> dict[str, list[str]]:
    """Each public name that more than one module has, with these modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path in sorted((source / "pagemill").rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        for name in dict.fromkeys(public_names(module, path.read_text(encoding="utf-8"))):
            if not name.startswith("_"):
                homes[name].append(module)
    return {name: modules for name, modules in homes.items() if len(modules) > 1}


def test_every_public_name_means_one_thing() -> None:
    """Who meets a name knows what it is, and finds it by looking for it."""
    homonyms = find_homonyms(SOURCE)
    assert not homonyms, "\n" + "\n".join(f"{name}: {', '.join(homes)}" for name, homes in sorted(homonyms.items()))


def test_the_glossary_explains_each_word_once() -> None:
    """Also where one line explains two."""
    text = (SOURCE.parent / "docs" / "glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\| ([^|]+) \|", text, re.M)
    words = Counter(word.strip() for entry in entries for word in entry.split(","))
    assert [word for word, count in words.items() if count > 1 and word not in {"word", "---"}] == []


@pytest.mark.parametrize(
    ("one", "other", "homonyms"),
    [
        ("class Limits: ...\n", "class Limits: ...\n", ["Limits"]),
        ("class Key: ...\n", "Key = str | int\n", ["Key"]),
        ("def decide(): ...\n", "async def decide(): ...\n", ["decide"]),
        ("class _Limits: ...\ndef _decide(): ...\n", "class _Limits: ...\ndef _decide(): ...\n", []),
        ("LIMIT = 1\nT = TypeVar('T')\nlog = 1\n", "LIMIT = 1\nT = TypeVar('T')\nlog = 1\n", []),
        ("@router.get('/a')\ndef show(): ...\n", "@router.post('/b')\ndef show(): ...\n", []),
        ("class A:\n    def show(self): ...\n", "class B:\n    def show(self): ...\n", []),
    ],
)
def test_homonyms_are_found(tmp_path: Path, one: str, other: str, homonyms: list[str]) -> None:
    """Public types and functions count, wherever they stand; routes, methods, constants and private names do not."""
    for name, text in (("guard/one.py", one), ("browser/other.py", other)):
        path = tmp_path / "pagemill" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")

    assert list(find_homonyms(tmp_path)) == homonyms
