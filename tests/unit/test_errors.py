"""One tree of errors in one file, and what each of them says of itself."""

from __future__ import annotations

import ast
import functools
import inspect
from pathlib import Path

import pytest

from pagemill import errors

SOURCE = Path(errors.__file__).parent
ELSEWHERE = {
    "config/mistakes.py",  # raised within pydantic, which takes a ValueError for a mistake and nothing else
    "control_room/frame/envelope.py",  # an answer of FastAPI's
}
"""Where errors are of another tree, because the library that they are raised in knows that one."""

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == errors.__name__
]


def is_error(node: ast.ClassDef, known: set[str]) -> bool:
    names = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    return any(name in known or name.endswith(("Error", "Exception")) for name in names)


@functools.cache
def everything_else() -> str:
    return "".join(file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py") if file.name != "errors.py")


def test_errors_stand_in_one_file() -> None:
    """Those of a module alone are private; the practice shops are no part of pagemill."""
    known = {kind.__name__ for kind in KINDS}
    found = [
        f"{place}:{node.lineno}: {node.name}"
        for source in SOURCE.rglob("*.py")
        if (place := source.relative_to(SOURCE).as_posix()) not in ELSEWHERE | {"errors.py"}
        and not place.startswith("demo/")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and is_error(node, known)
    ]
    assert found == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_of_the_tree_and_is_used(kind: type[Exception]) -> None:
    """Somebody raises it, catches it, or has one of its kinds raised."""
    assert issubclass(kind, errors.PagemillError)
    assert kind.__doc__
    assert kind.__subclasses__() or any(
        kind.__name__ in source.read_text(encoding="utf-8")
        for source in SOURCE.rglob("*.py")
        if source.name != "errors.py"
    )


def test_an_error_without_words_says_its_docstring() -> None:
    """There is no second wording that could become another one."""
    assert str(errors.HostUnknown()) == "without a secret the API answers to localhost only: ask for it by that name"
    assert str(errors.NotDirect()).endswith("set PAGEMILL_API_SECRET and show a token")
    assert str(errors.LeadLost("it is over")) == "it is over"


def test_only_what_is_asked_whether_a_retry_may_help_says_so() -> None:
    """A visit's errors, by the lane."""
    asked = (errors.ItemError, errors.DeadlineExceeded)
    assert [kind.__name__ for kind in KINDS if hasattr(kind, "retryable") and not issubclass(kind, asked)] == []
    assert errors.VisitFailed.retryable
    assert not errors.VisitRefused.retryable
