"""Holds what must be true of the repository's own files: no registry address, pure pins, a help that is complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pagemill import __version__

ROOT = Path(__file__).parents[2]

ADDRESSES = (
    re.compile(r"--(extra[-_])?index[-_]url|--find[-_]links|--trusted[-_]host", re.IGNORECASE),
    re.compile(r"(index[-_]url|find[-_]links|trusted[-_]host)[\"']?\s*[=:]\s*[\"']?[^\s\"'$]", re.IGNORECASE),
    re.compile(r"pypi[.]|pythonhosted[.]|registry[.]npmjs", re.IGNORECASE),
    re.compile(r"https?://\S*/simple(/|\b)", re.IGNORECASE),
    re.compile(r"https?://[^\s/]*(artifactory|devpi|mirror|nexus|registry)", re.IGNORECASE),
)
"""How the address of a package registry looks, whichever it is. Where packages come from is the machine's business."""

VERSION_OF_OURS = re.compile(r"(?:pagemill[:-]|newTag: |ARG VERSION=)(\d+\.\d+\.\d+)")
"""How images, wheels and their tags name pagemill's version."""

PIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?==[0-9][A-Za-z0-9.!]*")


def program(name: str) -> str:
    """The path of a program that these tests need; without it they skip, or fail where `CI` is set."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not on PATH")
        pytest.skip(f"{name} is not on PATH")
    return found


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Name and content of every text file that git tracks or would track."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        [program("git"), "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        capture_output=True,
        check=True,
        timeout=30,
    )
    for name in sorted(set(listing.stdout.decode().split("\0")) - {""}):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8", errors="replace")


def addresses_in(text: str) -> list[tuple[int, str]]:
    """Number and content of the lines that name a registry."""
    return [
        (number, line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if any(pattern.search(line) for pattern in ADDRESSES)
    ]


def make_help() -> str:
    # A `make` around the tests hands its own flags down.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    finished = subprocess.run(
        [program("make")], cwd=ROOT, env=inherited, capture_output=True, text=True, check=True, timeout=30
    )
    return finished.stdout


def pins() -> dict[str, str]:
    """Versions in constraints.txt by normalised name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is configured on the machine and written nowhere in the repository."""
    found = [f"{name}:{number}: {line}" for name, text in tracked_texts() for number, line in addresses_in(text)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "pip install --index-url https://packages.example.com/api -r requirements.txt",
        "RUN pip install --find-links /wheels pagemill",
        "PIP_INDEX_URL=https://packages.example.com/",
        "extra-index-url = http://10.0.0.1:8080/",
        '"find_links": "/srv/wheels"',
        "see https://pypi.org/project/rq",
        "https://packages.example.com/python/simple/",
        "url: https://mirror.example.com/debian",
    ],
)
def test_the_address_of_a_registry_is_recognised(line: str) -> None:
    """Options, settings and URLs alike."""
    assert addresses_in(f"first line\n{line}\n") == [(2, line)]


@pytest.mark.parametrize(
    "line",
    [
        "https://www.musinsa.com/products/1",
        "ARG PIP_INDEX_URL",
        "pip asks the index that its own configuration names",
        "PIP_INDEX_URL=$PIP_INDEX_URL",
    ],
)
def test_other_lines_are_left_alone(line: str) -> None:
    """A shop's address, or handing on what the machine has configured, is no registry address."""
    assert addresses_in(line) == []


def test_constraints_are_pure_pins() -> None:
    """Only `name==version`, each name once: no address, path, hash or option."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []
    assert len(pins()) == len(lines), "a name is pinned twice"
    assert "pagemill" not in pins()


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    """pyproject.toml and constraints.txt agree; `make constraints` renews the latter."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    pinned = pins()
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} but pinned {version}"


def test_one_version_is_named_everywhere() -> None:
    """That of the package is the project's, the newest of the changelog, and that of every image and wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    released = re.search(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released is not None
    assert (project["version"], released[1]) == (__version__, __version__)
    named = {
        (name, found)
        for name, text in tracked_texts()
        if not name.startswith("benchmarks/results/")
        for found in VERSION_OF_OURS.findall(text)
    }
    assert len(named) > 5
    assert {(name, found) for name, found in named if found != __version__} == set()


def test_make_lists_every_target() -> None:
    """`make` alone shows all targets with one line each, and every target is phony."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE)
    listed = dict(re.findall(r"^  ([\w-]+) +(\S.*)$", make_help(), re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert targets
    assert sorted(listed) == sorted(targets)
    assert phony is not None
    assert sorted(phony[1].split()) == sorted(targets)


@pytest.mark.parametrize("script", ["tools/setup.sh", ".ci/run"])
def test_shell_scripts_can_be_read_and_run(script: str) -> None:
    """Executable, and bash finds no mistake in their grammar."""
    assert os.access(ROOT / script, os.X_OK)
    checked = subprocess.run(
        [program("bash"), "-n", str(ROOT / script)], capture_output=True, text=True, check=False, timeout=30
    )
    assert checked.returncode == 0, checked.stderr
