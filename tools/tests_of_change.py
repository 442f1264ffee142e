"""Names the test files that a change touches, the nearest first, one a line: `python tools/tests_of_change.py BASE`.

A change is what differs from the point where this branch left BASE, with what is not committed yet. Its tests are those
with real parts (Redis, PostgreSQL, a browser) that changed themselves, are named after a changed file, or come to it by
imports, those of their fixtures included: the fewer steps, the nearer. Whole runs and the control room's pages are left
out: they touch everything and take minutes. `tools/within.py` runs as many of these as there is time for.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDERS = ("tests/redis", "tests/postgres", "tests/browser")
LEFT_OUT = "tests/browser/dashboard"
"""But for what changed there itself."""
STEPS = 3
"""Further away almost every test comes to every module; one that is that far away counts if there is no other."""


def changed_files(root: Path, base: str) -> set[str]:
    """Paths below `root`, of tracked files and of new ones that git does not ignore. Raises `CalledProcessError`."""

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout.splitlines()

    (fork,) = git("merge-base", base, "HEAD")
    return {*git("diff", "--name-only", fork), *git("ls-files", "--others", "--exclude-standard")}


def imported_modules(source: str) -> Iterator[str]:
    """Dotted names that may be modules: of `from a import b` both `a` and `a.b`, and what stands in quotation marks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.value, node.value.rpartition(".")[0])


def read_imports(root: Path, changed: set[str]) -> dict[str, set[str]]:
    """What each file of the source and of the tests imports, has its fixtures from or reads from beside it."""
    files = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for folder in ("src", "tests")
        for path in (root / folder).rglob("*.py")
    }
    modules = {name: name.removeprefix("src/").removesuffix(".py").removesuffix("/__init__") for name in files}
    of_module = {module.replace("/", "."): name for name, module in modules.items()}
    scripts = {name for name in changed if name.startswith("src/") and not name.endswith(".py")}
    found = {}
    for name, source in files.items():
        found[name] = {of_module[module] for module in imported_modules(source) if module in of_module}
        found[name] |= {f"{folder}/conftest.py" for folder in Path(name).parents} & files.keys() - {name}
        found[name] |= {one for one in scripts if Path(one).parent == Path(name).parent and Path(one).name in source}
    return found


def touched_tests(root: Path, changed: Iterable[str]) -> list[str]:
    """Those of `FOLDERS` that a change of these files touches, by steps, then by how little else they import."""
    changed = set(changed)
    imports = read_imports(root, changed)
    tests = [name for name in imports if name.startswith(FOLDERS) and Path(name).name.startswith("test_")]
    words = [f"_{Path(name).stem}_" for name in changed if name.startswith("src/")]
    steps = {name: 1 for name in tests if any(word in f"_{Path(name).stem}_" for word in words)}
    steps |= dict.fromkeys(changed, 0)
    for step in range(1, len(imports)):
        found = [
            (steps[name], len(imports[name]), name)
            for name in tests
            if name in steps and (steps[name] == 0 or not name.startswith(LEFT_OUT))
        ]
        further = {name: step for name, used in imports.items() if name not in steps and used & steps.keys()}
        if not further or (step > STEPS and found):
            break
        steps |= further
    return [name for *_, name in sorted(found)]


if __name__ == "__main__":
    here = Path(__file__).parents[1]
    sys.stdout.writelines(f"{name}\n" for name in touched_tests(here, changed_files(here, sys.argv[1])))
