"""The names that there are: read from the source, the files that are shipped, and the models of the configuration."""

from __future__ import annotations

import ast
import builtins
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

import pagemill
from pagemill.config.alerts import AlertRules
from pagemill.config.environment import VARIABLES
from pagemill.config.platform import Platform
from pagemill.config.schedule import Schedule
from pagemill.config.settings import Settings
from tests.unit.test_docs import ANY_NAME, sections_in
from tests.unit.test_repository import tracked_texts

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pagemill"
MODELS = (Platform, Settings, AlertRules, Schedule)
SPEAK_OF_OTHERS = {"CHANGELOG.md", "features.md"}
"""What was there once, and the programs that this one took the place of; `test_features` holds what it has instead."""
_OTHERS = """
AverageValue CHROME_LOG_FILE CreateContainerError ESC EventSource FLUSHALL QuotaExceededError SSLKEYLOGFILE VACUUM
WAYLAND_DISPLAY enableBeginFrameControl execv fetchLater isTrusted kernel.apparmor_restrict_unprivileged_userns
kubectl logrotate mypackage.MyStrategy navigator.platform navigator.webdriver nice page.jpg podPidsLimit ssh
user.max_user_namespaces --enable-low-end-device-mode --lite-mode --max-lazy --optimize-for-size --process-per-site
--renderer-process-limit --single-threaded
"""
OTHERS = frozenset(_OTHERS.split())
"""What other programs and the reader have: not one of these words may become a name of ours."""
MADE = ("platforms", "results")
"""Folders whose files are the reader's, or are made by a command."""

WORD = re.compile(r"[A-Za-z_]\w*|--[a-z][a-z-]+")
DOTTED = re.compile(r"\w+(?:\.\w+)+")
COMMENT = {".py": "#", ".js": "//", ".lua": "--", ".html": "<!--"}


class Names:
    """All that there is."""

    def __init__(self) -> None:
        self.words = {*dir(builtins), *sys.stdlib_module_names}
        self.dotted = {f"pagemill.{name}" for name in pagemill.__all__}
        """A module and what it defines, a class and what it has, and whatever is written with dots in code."""
        self.rooms: dict[str, set[str]] = {}
        """The names of files and folders, and in which rooms of the package they are."""
        self.own: dict[Path, set[str]] = {}
        """By file, what means something there only: variables, parameters, what is imported."""
        self.told: list[tuple[Path, int, str]] = []
        """The texts that name things: file, line, text."""

    def add(self, file: Path) -> None:
        place, text = file.relative_to(ROOT), file.read_text(encoding="utf-8", errors="ignore")
        self.dotted.add(file.name)
        for name in (part.split(".")[0] for part in place.parts):
            self.rooms.setdefault(name, set()).add(room_of(file))
        if file.suffix == ".md":
            if file.name not in SPEAK_OF_OTHERS:
                self.told.append((file, 1, without_blocks(text)))
        elif place.parts[0] == "tests":
            self.words.update(re.findall(r"\"([^\"\s]+)\"", text))
        elif file.suffix == ".py":
            self.add_module(file, ast.parse(text))
        else:
            mark = COMMENT.get(file.suffix, "#")
            code = re.sub(rf"(?:^|\s){mark}(?: .*)?$", "", text, flags=re.M)
            self.add_words(code)
            if file.suffix in (".js", ".lua"):
                self.told.append((file, 1, re.sub(rf"^ *{mark}|^.*$", "", text.replace("\n", " \n"), flags=re.M)))

    def add_words(self, text: str) -> None:
        self.words.update(WORD.findall(text))
        self.dotted.update(DOTTED.findall(text))

    def add_module(self, file: Path, tree: ast.Module) -> None:
        modules = list(ends_of(".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")))
        own = self.own[file] = set()
        self.dotted.update(module for module in modules if "." in module)
        self.dotted.update(f"{module}.{name}" for module in modules for name in defined_in(tree.body))
        docstrings: set[int] = set()
        for node in ast.walk(tree):
            match node:
                case ast.Expr(value=ast.Constant(value=str(text)) as told):
                    docstrings.add(id(told))
                    if file.is_relative_to(SOURCE):
                        self.told.append((file, told.lineno, text))
                case ast.Constant(value=str(text)) if id(node) not in docstrings:
                    self.add_string(file, node.lineno, text)
                case ast.ClassDef(name=name, body=body):
                    self.words.update({name, *defined_in(body)})
                    self.dotted.update(f"{name}.{each}" for each in defined_in(body))
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.keyword(arg=str(name)):
                    self.words.add(name)
                case ast.Attribute(value=ast.Name(id=owner), attr=name):
                    self.dotted.add(f"{owner}.{name}")
                    (self.words if isinstance(node.ctx, ast.Store) else own).add(name)
                case ast.Attribute(attr=name) | ast.Name(id=name) | ast.arg(arg=name):
                    own.add(name)
                case ast.alias(name=name):
                    own.update(name.split("."))
        self.words.update(defined_in(tree.body))

    def add_string(self, file: Path, line: int, text: str) -> None:
        if "`" in text and file.is_relative_to(SOURCE):
            self.told.append((file, line, text))
        elif " " not in text.strip():
            self.add_words(text)
        else:  # a sentence, of whose words only those count that are none of the language
            self.words.update(word for word in WORD.findall(text) if not (word.isalpha() and word.islower()))
            self.dotted.update(DOTTED.findall(text))

    def has(self, word: str, file: Path) -> bool:
        if word in self.words or word in self.own.get(file, ()) or word.lower() in self.words:
            return True
        room, rooms = room_of(file), self.rooms.get(word, set())
        # A module that is spoken of in another room has the room's name in front: `config.hosts`.
        return room in rooms or (bool(rooms) and not room)

    @functools.cached_property
    def owners(self) -> frozenset[str]:
        """What may stand before a dot."""
        return frozenset(name.partition(".")[0] for name in [*self.dotted, *settings()] if "." in name)

    def know(self, name: str, file: Path) -> bool:
        """Whether there is such a thing, for who speaks of it in that file."""
        bare = re.sub(r"\(\)$|\[\]|\.\d+\b", "", name)
        if bare in OTHERS or (bare.startswith("_") and any(word.endswith(bare) for word in self.words)):
            return True
        if "/" in bare and (ROOT / bare.partition("/")[0]).exists():
            path = ROOT / bare
            return path.exists() or path.parent.name in MADE
        if bare in self.dotted or is_setting(bare):
            return True
        if not all(self.has(word, file) for word in WORD.findall(bare)):
            return is_variable(bare)
        first = bare.partition(".")[0]  # samples of paths in JSON, of selectors and of files begin with something else
        if not DOTTED.fullmatch(bare) or len(first) == 1:
            return True
        return first not in self.owners


def room_of(file: Path) -> str:
    """The folder or module of the package that it is in; empty for what is in none."""
    return file.relative_to(SOURCE).parts[0] if file.is_relative_to(SOURCE) else ""


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.M | re.S)


def ends_of(path: str) -> Iterator[str]:
    parts = path.split(".")
    return (".".join(parts[count:]) for count in range(len(parts)))


def defined_in(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))


@functools.cache
def names() -> Names:
    found = Names()
    for name, _ in tracked_texts():
        file = ROOT / name
        if not file.is_symlink():
            found.add(file)
    return found


def paths_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path
        for section, way in sections_in(field.annotation):
            yield from paths_of(section, f"{path}{way}.")


@functools.cache
def settings() -> frozenset[str]:
    """Every setting and every section, from each of its keys on."""
    paths = [path.replace("[]", "") for model in MODELS for path in paths_of(model)]
    paths += [path.rpartition(".")[0] for path in paths if path.count(".") > 1]
    paths += [path.replace("extract.sources.", "extract.") for path in paths]  # the short form for a single source
    return frozenset(end for path in paths for end in ends_of(path) if not end.startswith(ANY_NAME))


def is_setting(path: str) -> bool:
    path = path.replace("VERDICT", "gone")
    return path in settings() or any(
        re.fullmatch(re.escape(each).replace(ANY_NAME, r"\w+"), path) for each in settings() if ANY_NAME in each
    )


def is_variable(name: str) -> bool:
    """One of ours, or one that ends with a name of the user's."""
    return name in VARIABLES or re.match(r"PAGEMILL_(?:PROXY|CREDENTIALS|ALERT_URL|CATALOG_URL)_", name) is not None
