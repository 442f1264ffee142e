"""Holds the documents to the code: settings, variables, commands, log events and local links are what they should be.

What a description says is for people to judge. That there is one, and that defaults are those that run, is held here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin
from urllib.parse import unquote

import pytest
import typer.main
from pydantic import BaseModel

from pagemill.cli.main import app
from pagemill.config.environment import VARIABLES
from pagemill.config.platform import Platform
from pagemill.config.reading.judge import VerdictSigns
from pagemill.config.section import MsRange
from pagemill.config.settings import Environment, Settings
from pagemill.telemetry import events

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "docs" / "configuration.md"
OPERATIONS = ROOT / "docs" / "operations.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

SPOKEN_OF = (
    "artifacts", "concurrency", "guard", "navigation", "pool", "queue", "rate_limit", "results", "retention", "retry",
    "revisit", "rotation", "supervisor", "workflow",
)  # fmt: skip
"""Sections whose keys are named in sentences. Names of others are also those of modules, or of JSON in a page."""
ANY_NAME = "NAME"
"""Stands in a path for a name that the user chooses, such as a field's."""
REQUIRED = "required"
DESCRIBED_ONCE: dict[type[BaseModel], str] = {VerdictSigns: "VERDICT"}
"""Sections that stand under several keys of one place, and what a path has instead of the key. A key with a default of
its own there is described for itself."""
SAME_ELSEWHERE = re.compile(r"(compare|require|confirm)\b|.*\.fetch\.fields\.NAME\b")
"""Where keys stand that are described at another place: `judge`'s may stand beside it, and a field is a field."""


def shown(value: Any) -> str:
    """A default as the tables write it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`" if value < 1e6 else f"`{value:.0f}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(shown(item).strip('`') for item in value)}]`"
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{key}: {shown(item).strip('`')}" for key, item in value.items()) + "}`"
    assert isinstance(value, str | int | Path | MsRange), f"write down how {type(value).__name__} is shown"
    return f"`{value}`"


def settings_of(
    model: type[BaseModel], above: str = "", defaults: BaseModel | None = None
) -> Iterator[tuple[str, str]]:
    """Dotted path and default of every key that holds a value, the keys of free names and of lists' items among
    them."""
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        default = getattr(defaults, name) if defaults is not None else field.get_default(call_default_factory=True)
        kind = field.annotation
        if is_section(kind):
            inner = settings_of(kind, f"{path}.", None if field.is_required() else default)
            yield from described_once(kind, above, inner) if kind in DESCRIBED_ONCE else inner
            continue
        yield path, REQUIRED if field.is_required() else shown(default)
        for section, way in sections_in(kind):
            yield from settings_of(section, f"{path}{way}.")


def described_once(
    model: type[BaseModel], above: str, settings: Iterator[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """The settings of such a section: those with the model's own defaults under the path that is common to all."""
    usual = dict(settings_of(model))
    for path, default in settings:
        rest = path.removeprefix(above).partition(".")[2]
        yield f"{above}{DESCRIBED_ONCE[model]}.{rest}", usual[rest]
        if default != usual[rest]:
            yield path, default


def sections_in(annotation: Any, way: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """The sections that a list, a mapping or a choice may hold, each with how a path leads there.

    A field's list of rules has no mark of its own: a single rule stands there without it.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_section(annotation):
        yield annotation, way
    elif origin is dict:
        yield from sections_in(arguments[1], f"{way}.{ANY_NAME}")
    elif origin is tuple:
        yield from sections_in(arguments[0], way if way.endswith(ANY_NAME) else f"{way}[]")
    elif origin is Annotated:
        yield from sections_in(arguments[0], way)
    elif origin in (Union, UnionType):
        for branch in arguments:
            yield from sections_in(branch, way)


def is_section(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not MsRange


def table_rows(document: Path, first_column: str) -> dict[str, list[str]]:
    """The cells of all rows in tables whose first column has that title, by what stands in the first one."""
    rows: dict[str, list[str]] = {}
    inside = False
    for line in document.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_column:
            inside = True
        elif inside and not line.startswith("|--"):
            assert cells[0] not in rows, f"{cells[0]} is described twice in {document.name}"
            rows[cells[0]] = cells[1:]
    return rows


def emitted_events() -> set[str]:
    """The texts of all events that the code names outside their own module."""
    sources = [path for path in (ROOT / "src").rglob("*.py") if path.name != "events.py"]
    names = {name for path in sources for name in re.findall(r"\bevents\.([A-Z_]+)\b", path.read_text("utf-8"))}
    return {getattr(events, name) for name in names}


def anchors_in(document: Path) -> set[str]:
    """What a link may name after its #, as GitHub makes it from headings."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("model", [Platform, Settings])
def test_every_setting_is_described_with_its_default(model: type[BaseModel]) -> None:
    """What a user reads in docs/configuration.md is what runs."""
    rows = table_rows(CONFIGURATION, "key")
    expected = {path: default for path, default in settings_of(model) if not SAME_ELSEWHERE.match(path)}
    described = {path: rows[f"`{path}`"][1] for path in expected if f"`{path}`" in rows}
    assert described == expected


def test_no_setting_is_described_that_does_not_exist() -> None:
    """A key that was removed or renamed leaves the document too."""
    known = {f"`{path}`" for model in (Platform, Settings) for path, _default in settings_of(model)}
    assert set(table_rows(CONFIGURATION, "key")) <= known


def test_every_environment_variable_is_described() -> None:
    """All that are known, and the defaults of those that have one."""
    rows = table_rows(CONFIGURATION, "variable")
    assert set(rows) == {f"`{name}`" for name in VARIABLES}
    plain = Environment()
    assert rows["`PAGEMILL_CONFIG`"][0] == shown(plain.config_folder)
    assert rows["`PAGEMILL_DATABASE_URL`"][0] == shown(plain.database_url)
    assert rows["`PAGEMILL_LOG_FORMAT`"][0] == shown(plain.log_format)
    assert rows["`PAGEMILL_LOG_LEVEL`"][0] == shown(plain.log_level)


def test_every_command_is_described_with_its_options() -> None:
    """One row of docs/operations.md for each command, and nothing about commands that are not there."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = {key.strip("`").split()[1]: f"{key} {cells}" for key, cells in table_rows(OPERATIONS, "command").items()}
    assert set(rows) == set(commands)
    for name, command in commands.items():
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
        missing = [option for option in options if not re.search(rf"{option}\b", rows[name])]
        assert not missing, f"{name} lacks {missing}"


def test_every_log_event_is_described() -> None:
    """People grep for them."""
    text = OPERATIONS.read_text(encoding="utf-8")
    emitted = emitted_events()
    assert events.PAGE_ROTATION in emitted
    assert sorted(event for event in emitted if f"`{event}`" not in text) == []


def sentences_of(source: Path) -> Iterator[str]:
    """The texts in a module that are no docstrings."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    with_docstring = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, with_docstring) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_remedies_name_settings_that_exist() -> None:
    """What an error, an advice or a recommendation says to change can be changed."""
    known = {path for model in (Platform, Settings) for path, _default in settings_of(model)}
    known |= {path.rpartition(".")[0] for path in known}
    named = {
        (source.name, key)
        for source in (ROOT / "src").rglob("*.py")
        for sentence in sentences_of(source)
        for key in re.findall(rf"\b(?:{'|'.join(SPOKEN_OF)})\.\w+(?:\.\w+)*", sentence)
    }
    assert ("remedies.py", "workflow.concurrency.default") in named
    assert sorted(each for each in named if each[1] not in known and f"workflow.{each[1]}" not in known) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_links_lead_somewhere(document: Path) -> None:
    """Files and headings; addresses on the net are not asked."""
    broken = []
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        path = (document.parent / name) if name else document
        if not path.exists() or (anchor and anchor not in anchors_in(path)):
            broken.append(target)
    assert not broken
