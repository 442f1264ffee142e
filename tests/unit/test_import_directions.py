"""Holds who may import whom, by reading every module's imports (also those inside functions and for types only).

The rules are drawn in docs/architecture.md. A new folder of src/pagemill needs a place in `LAYERS`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"model", "errors", "visible", "script_files", "playwright_errors", "theil_sen", "old_names"}),
    frozenset({"telemetry", "arguments", "deadlines"}),
    frozenset({"config"}),
    frozenset({"browser", "extraction", "pacing", "revisit", "results", "guard", "broker"}),
    frozenset({"engine", "intake", "memory", "strategies", "drafting"}),
    frozenset({"worker", "applying", "fleet", "retention"}),
    frozenset({"alerting", "checks"}),
    frozenset({"control_room"}),
    frozenset({"app"}),
    frozenset({"demo", "client"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
"""Bottom to top. A unit (a folder or a single file of the package) imports from lower layers only."""

ONLY_THESE = {"demo": frozenset({"model", "errors", "script_files", "old_names"}), "__main__": frozenset({"cli"})}
"""Units that may import less than their place in the layers allows."""

FACE = frozenset({"client", "errors", "model"})
"""What the package itself shows to programs of a user's own, and brings only when they ask for it."""

THIRD_PARTY: dict[str, tuple[str, ...]] = {
    "apprise": ("alerting",),
    "chompjs": ("extraction",),
    "fastapi": ("control_room.frame", "control_room.api", "control_room.dashboard"),
    "httpx": ("extraction",),
    "jmespath": ("config", "extraction"),
    "jwt": ("control_room.frame",),
    "playwright": ("browser", "extraction", "playwright_errors"),
    "prometheus_client": ("control_room.metrics",),
    "proclimits": ("guard",),
    "psutil": ("guard",),
    "redis": (
        "broker",
        "intake",
        "worker",
        "retention",
        "fleet",
        "alerting",
        "checks",
        "control_room",
        "pacing",
        "revisit",
        "app",
    ),
    "regex": ("config",),
    "rq": ("intake", "worker", "fleet"),
    "socketio": ("control_room.api",),
    "sqlalchemy": ("results", "applying", "intake.catalog*"),
    "typer": ("cli",),
}
"""Libraries that only some units may import; a name with a star is the beginning of a module's name."""


@dataclass(frozen=True)
class Module:
    """One source file; `name` is dotted and begins with `pagemill`."""

    path: Path
    name: str

    @property
    def unit(self) -> str:
        """The folder or file directly below the package; empty for the package's own `__init__`."""
        return unit_of(self.name)


def unit_of(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def layer_of(unit: str) -> int:
    """The number of the unit's layer, -1 for the package's own `__init__`, which everything may import."""
    return next((number for number, layer in enumerate(LAYERS) if unit in layer), -1)


def read_modules(source: Path) -> list[Module]:
    modules = []
    for path in sorted((source / "pagemill").rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        modules.append(Module(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    return modules


def imports_of(module: Module, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that the module imports; relative imports are made absolute."""
    for node in ast.walk(ast.parse(module.path.read_text(encoding="utf-8"), str(module.path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = absolute_name(module, node)
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                yield alias.lineno, submodule if submodule in known else origin


def absolute_name(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    package = module.name.split(".")
    if module.path.name != "__init__.py":
        package = package[:-1]
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, *(node.module.split(".") if node.module else [])])


def broken_rule(module: Module, imported: str) -> str | None:
    """The rule that this import breaks, or `None`."""
    top = imported.split(".")[0]
    if top != "pagemill":
        allowed = THIRD_PARTY.get(top)
        if allowed is None or any(is_place(module, place) for place in allowed):
            return None
        return f"{top} is imported only under {', '.join(allowed)}"
    return broken_layer_rule(module.unit, imported)


def broken_layer_rule(unit: str, imported: str) -> str | None:
    target = unit_of(imported)
    if target == unit or (target == "" and unit):
        return None
    if not unit:
        return None if target in FACE else f"the package's own __init__ shows only {', '.join(sorted(FACE))}"
    if layer_of(target) < 0:
        return f"{target} has no place in LAYERS"
    if unit in ONLY_THESE:
        names = sorted(ONLY_THESE[unit])
        return None if target in names else f"{unit} imports only {', '.join(names)}"
    if target == "demo" and unit != "cli":
        return "demo is imported only under cli"
    if layer_of(target) < layer_of(unit):
        return None
    if layer_of(target) > layer_of(unit):
        return f"imports point down: {unit} is below {target}"
    return f"{unit} and {target} are neighbours: {unit} does not import {target}"


def is_place(module: Module, place: str) -> bool:
    name = module.name.removeprefix("pagemill.")
    return name.startswith(place[:-1]) if place.endswith("*") else is_inside(name, place)


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def find_violations(source: Path) -> list[str]:
    """One line for each import that breaks a rule: file, line, the import, the rule."""
    modules = read_modules(source)
    known = frozenset(module.name for module in modules)
    violations = []
    for module in modules:
        place = module.path.relative_to(source.parent)
        if module.unit and layer_of(module.unit) < 0:
            violations.append(f"{place}:1: {module.unit} has no place in LAYERS")
            continue
        for line, imported in dict.fromkeys(imports_of(module, known)):
            rule = broken_rule(module, imported)
            if rule is not None:
                violations.append(f"{place}:{line}: imports {imported}: {rule}")
    return violations


def find_bare_folders(source: Path) -> list[str]:
    """Folders with Python files that lack an `__init__.py` with a docstring."""
    bare = []
    for folder in sorted({path.parent for path in (source / "pagemill").rglob("*.py")}):
        init = folder / "__init__.py"
        if not init.is_file() or not ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))):
            bare.append(str(folder.relative_to(source.parent)))
    return bare


def plant(source: Path, files: dict[str, str]) -> None:
    """Writes a small tree of modules, with an `__init__.py` in every folder."""
    for name, text in {"pagemill/__init__.py": '"""A package."""\n', **files}.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        init = path.parent / "__init__.py"
        if not init.exists():
            init.write_text('"""A folder."""\n', encoding="utf-8")


def test_every_import_points_in_an_allowed_direction() -> None:
    """No module of pagemill imports what its place in the layers forbids."""
    assert read_modules(SOURCE), "no source was found"
    violations = find_violations(SOURCE)
    assert not violations, "\n" + "\n".join(violations)


def test_every_folder_says_what_it_is_for() -> None:
    """Each folder of the package has an `__init__.py` with a docstring."""
    bare = find_bare_folders(SOURCE)
    assert not bare, f"no __init__.py with a docstring: {', '.join(bare)}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """The modules have an order in which each finds what it imports, also for types."""
    modules = read_modules(SOURCE)
    known = frozenset(module.name for module in modules)
    imported = {module.name: {name for _, name in imports_of(module, known) if name in known} for module in modules}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize(
    ("file", "text", "line", "imported", "rule"),
    [
        ("model.py", "import pagemill.telemetry.events\n", 1, "pagemill.telemetry.events", "model is below telemetry"),
        ("errors.py", "from pagemill import model\n", 1, "pagemill.model", "errors and model are neighbours"),
        ("config/platform.py", "from ..engine import lane\n", 1, "pagemill.engine", "config is below engine"),
        ("browser/pool.py", "\nfrom pagemill.guard import probe\n", 2, "pagemill.guard", "are neighbours"),
        ("guard/probe.py", "def f():\n    from pagemill import browser\n", 2, "pagemill.browser", "are neighbours"),
        (
            "results/store.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pagemill.pacing.limits import Limit\n",
            3,
            "pagemill.pacing.limits",
            "are neighbours",
        ),
        ("engine/lane.py", "from pagemill.worker.job import run\n", 1, "pagemill.worker.job", "below worker"),
        ("intake/enqueue.py", "import pagemill.worker\n", 1, "pagemill.worker", "intake is below worker"),
        ("intake/enqueue.py", "from pagemill import fleet\n", 1, "pagemill.fleet", "intake is below fleet"),
        ("worker/job.py", "from pagemill.fleet import view\n", 1, "pagemill.fleet", "does not import fleet"),
        ("fleet/view.py", "from pagemill import alerting\n", 1, "pagemill.alerting", "fleet is below alerting"),
        ("control_room/api.py", "from pagemill.app import build\n", 1, "pagemill.app", "control_room is below app"),
        ("app.py", "from pagemill.cli.main import run\n", 1, "pagemill.cli.main", "app is below cli"),
        ("demo/shop.py", "from pagemill.config import models\n", 1, "pagemill.config", "only errors, model"),
        ("app.py", "from pagemill.demo import shop\n", 1, "pagemill.demo", "only under cli"),
        ("__main__.py", "from pagemill.app import build\n", 1, "pagemill.app", "only cli"),
        ("__init__.py", "from pagemill.config.settings import Config\n", 1, "pagemill.config.settings", "shows only"),
        ("engine/lane.py", "from pagemill.extras import x\n", 1, "pagemill.extras", "no place in LAYERS"),
        ("engine/lane.py", "from playwright.async_api import Page\n", 1, "playwright.async_api", "browser"),
        ("results/queue.py", "import rq\n", 1, "rq", "intake, worker, fleet"),
        ("browser/pool.py", "import os, psutil\n", 1, "psutil", "guard"),
        ("intake/enqueue.py", "import sqlalchemy.orm as orm\n", 1, "sqlalchemy.orm", "intake.catalog*"),
        ("control_room/api.py", "import typer\n", 1, "typer", "cli"),
        ("cli/main.py", "from redis.asyncio import Redis\n", 1, "redis.asyncio", "broker"),
    ],
)
def test_a_planted_violation_is_named(
    tmp_path: Path, file: str, text: str, line: int, imported: str, rule: str
) -> None:
    """The message gives file, line, import and rule."""
    bystanders = ("model.py", "browser/x.py", "fleet/x.py", "alerting/x.py")
    plant(tmp_path / "src", {**{f"pagemill/{name}": "" for name in bystanders}, f"pagemill/{file}": text})

    violations = find_violations(tmp_path / "src")

    assert len(violations) == 1, violations
    assert violations[0].startswith(f"src/pagemill/{file}:{line}: imports {imported}: ")
    assert rule in violations[0]


def test_allowed_imports_are_left_alone(tmp_path: Path) -> None:
    """Downward imports, and libraries in their own places are no violations."""
    plant(
        tmp_path / "src",
        {
            "pagemill/deadlines.py": "from pagemill.errors import DeadlineExceeded\n",
            "pagemill/errors.py": "import enum\n",
            "pagemill/config/hosts.py": "from pagemill import __version__\nfrom .models import Host\n",
            "pagemill/config/platform.py": "from ..telemetry import events\n",
            "pagemill/telemetry/events.py": "",
            "pagemill/intake/batch_job.py": "import rq\nfrom redis import Redis\n",
            "pagemill/intake/catalog_sql.py": "import sqlalchemy\n",
            "pagemill/intake/catalog/sql.py": "import sqlalchemy\n",
            "pagemill/worker/job.py": "from pagemill.intake.batch_job import read\nfrom pagemill.engine import lane\n",
            "pagemill/control_room/api.py": "from pagemill.intake import enqueue\nfrom pagemill.fleet import view\n",
            "pagemill/app.py": "import redis\nfrom pagemill.worker import job\n",
            "pagemill/cli/main.py": "import typer\nfrom pagemill.demo import shop\nfrom pagemill.app import build\n",
            "pagemill/demo/shop.py": "from pagemill.model import Product\nfrom .faults import Fault\n",
            "pagemill/demo/faults.py": "import starlette\n",
            "pagemill/__main__.py": "from pagemill.cli.main import run\n",
        },
    )

    assert find_violations(tmp_path / "src") == []


def test_a_folder_outside_the_layers_is_named(tmp_path: Path) -> None:
    """Somebody who adds a folder is told to give it a place."""
    plant(tmp_path / "src", {"pagemill/extras/thing.py": ""})

    assert "src/pagemill/extras/thing.py:1: extras has no place in LAYERS" in find_violations(tmp_path / "src")


def test_a_folder_without_a_docstring_is_named(tmp_path: Path) -> None:
    """An empty or missing `__init__.py` is found."""
    plant(tmp_path / "src", {"pagemill/engine/__init__.py": "", "pagemill/guard/probe.py": ""})
    (tmp_path / "src/pagemill/guard/__init__.py").unlink()

    assert find_bare_folders(tmp_path / "src") == ["src/pagemill/engine", "src/pagemill/guard"]
