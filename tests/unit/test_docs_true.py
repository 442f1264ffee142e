"""What documents, docstrings and advice name between backticks exists: settings, modules, files, commands, events.

Names are read from the source: who renames or removes something is told where it is still spoken of. What stands there
and is no name, such as a sample of a page or a line of a shell, is not judged.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from pagemill.cli.main import app
from pagemill.telemetry import events
from tests.unit.known_names import OTHERS, ROOT, SOURCE, names

OWNERS = ("Chromium's", "JavaScript's", "Playwright's", "Python's", "RQ's", "Redis'")
"""After one of these words a name is that program's."""

QUOTED = re.compile(r"(?<!`)`([^`]+)`(?!`)")
NAME = re.compile(r"[A-Za-z_]\w*(?:\[\]|[./-]\w+)*(?:\(\))?")
CALL = re.compile(r"(?:^|bin/|&& |-- |exec \w+ |run --rm \w+ )(pagemill [a-z-].*)", re.M)
EVENT = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+")


def told() -> Iterator[tuple[str, Path, str]]:
    """Place, file and what stands between backticks."""
    for file, line, text in names().told:
        for match in QUOTED.finditer(text):
            if text[: match.start()].rstrip().endswith(OWNERS):
                continue
            at = line + text.count("\n", 0, match.start())
            yield f"{file.relative_to(ROOT)}:{at}", file, " ".join(match[1].split())


def options_of(command: Any) -> set[str]:
    return {option for each in command.params for option in [*each.opts, *each.secondary_opts]} | {"--help"}


@functools.cache
def options() -> dict[str, set[str]]:
    """Each command's; under no name those of all."""
    group: Any = typer.main.get_command(app)
    return {"": options_of(group), **{name: options_of(command) for name, command in group.commands.items()}}


def calls() -> Iterator[tuple[str, str]]:
    """Place and text of every call of pagemill: between backticks, and in the blocks of documents."""
    yield from ((place, name) for place, _file, name in told() if name.startswith("pagemill "))
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for block in re.findall(r"^```\w*\n(.*?)^```", document.read_text("utf-8"), re.M | re.S):
            for call in CALL.findall(block.replace("\\\n", " ")):
                yield document.name, call


def test_every_name_is_of_something_that_exists() -> None:
    """Settings, modules, classes, functions, metrics, files, environment variables."""
    wrong = [
        f"{place}: {name}" for place, file, name in told() if NAME.fullmatch(name) and not names().know(name, file)
    ]
    assert wrong == []


def test_the_judge_knows_what_is_not_there() -> None:
    """What was named once and is gone: a setting, a module of another room, a metric, a variable, a file."""
    gone = "revisit.ttl, guard.metric_tables, metric_tables, models, PAGEMILL_REDIS, docs/gone.md"
    there = ["revisit.min_ttl_s", "extract.fields.name", "config.hosts", "PAGEMILL_REDIS_URL", "docs/scaling.md"]
    file = SOURCE / "config" / "loading.py"
    assert [name for name in gone.split(", ") if names().know(name, file)] == []
    assert [name for name in there if not names().know(name, file)] == []


def test_every_call_is_of_a_command_and_its_options() -> None:
    """In a sentence, in an advice, and in what a reader is to type."""
    wrong, seen = [], set()
    for place, call in calls():
        words = re.split(r" [|&>#] ?|;|,", call)[0].translate(str.maketrans("[]", "  ")).split()[1:]
        name = next((word for word in words if not word.startswith("-")), "")
        seen.add(name)
        known = options()[""] | options().get(name, set())
        if name.islower() and (name not in options() or not {word for word in words if word[:2] == "--"} <= known):
            wrong.append(f"{place}: {call}")
    assert wrong == []
    assert {"enqueue", "worker", "token"} <= seen


def test_every_option_that_is_named_alone_is_one() -> None:
    """Of a command, of a benchmark, or of a program that pagemill calls."""
    known = OTHERS.union(names().words, *options().values())
    words = set().union(*names().own.values())
    wrong = [
        f"{place}: {name}"
        for place, _file, name in told()
        if re.fullmatch(r"--[a-z][a-z-]*", name) and name not in known and name[2:].replace("-", "_") not in words
    ]
    assert wrong == []


def test_every_event_that_is_named_is_one() -> None:
    """They are written as `Page Rotation`, and people grep for them."""
    known = {text for text in vars(events).values() if isinstance(text, str)}
    wrong = [f"{place}: {name}" for place, _file, name in told() if EVENT.fullmatch(name) and name not in known]
    assert wrong == []
