"""Names the test files that a change touches, one a line: `python tools/tests_of_change.py BASE`.

A change is what differs from the point where this branch left BASE, with what is not committed yet. Its tests are those
with real parts (Redis, PostgreSQL, a browser) that changed themselves or import a changed module. Whole runs are left
out: they touch everything and take minutes.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

FOLDERS = ("tests/redis", "tests/postgres", "tests/browser")


def changed_files(root: Path, base: str) -> set[str]:
    """Paths below `root`, of tracked files and of new ones that git does not ignore. Raises `CalledProcessError`."""

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout.splitlines()

    (fork,) = git("merge-base", base, "HEAD")
    return {*git("diff", "--name-only", fork), *git("ls-files", "--others", "--exclude-standard")}


def imported_modules(test: Path) -> Iterator[str]:
    """Dotted names that may be modules: of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def touched_tests(root: Path, changed: Iterable[str]) -> list[str]:
    """The test files of `FOLDERS` that a change of these files touches, sorted."""
    paths = {Path(name) for name in changed}
    modules = {".".join(path.with_suffix("").parts).removeprefix("src.") for path in paths if path.suffix == ".py"}
    found = []
    for folder in FOLDERS:
        for test in sorted((root / folder).rglob("test_*.py")):
            name = test.relative_to(root)
            if name in paths or modules.intersection(imported_modules(test)):
                found.append(str(name))
    return found


if __name__ == "__main__":
    here = Path(__file__).parents[1]
    sys.stdout.writelines(f"{name}\n" for name in touched_tests(here, changed_files(here, sys.argv[1])))
