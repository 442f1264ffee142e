"""Reads one YAML file into plain data and remembers the line of every key.

It does not know what the keys mean. Of YAML it accepts what a configuration needs: text, whole numbers, decimals, true
and false, null, lists and mappings. Dates stay text; `0777` and `1:30` are not numbers. Aliases and tags are refused,
because they can make a small file large or run code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from pagemill.errors import Problem

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 30

KeyPath = tuple[str | int, ...]
"""The way from the top of a file to a value: keys of mappings and indexes of lists."""

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null"))
_UNWANTED_TAGS = frozenset(_TAG + name for name in ("int", "float", "timestamp", "merge", "value"))


@dataclass(frozen=True, slots=True)
class YamlSource:
    """The content of one file. `data` is `None` if the file cannot be understood; `problems` then says why."""

    file: str
    data: Mapping[str, Any] | None
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line_of(self, path: KeyPath) -> int:
        """The line, from 1, of that key, or of its nearest parent that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(path: Path) -> YamlSource:
    """Reads the whole file. Every mistake in it becomes a `Problem`; none is raised.

    An empty file is an empty mapping. If a key is written twice, its first value counts.
    """
    file = str(path)
    text = _read_text(path)
    if isinstance(text, Problem):
        return YamlSource(file, None, problems=(text,))
    try:
        loader = _PlainLoader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = Problem(file, line, "", "has a character that YAML does not allow", "remove it")
        return YamlSource(file, None, problems=(problem,))
    try:
        root = loader.get_single_node()
        return _Reading(file, loader).source(root)
    except yaml.MarkedYAMLError as error:
        return YamlSource(file, None, problems=(_syntax_problem(file, error),))
    finally:
        loader.dispose()


def _read_text(path: Path) -> str | Problem:
    file = str(path)
    try:
        if not path.is_file():
            return Problem(file, None, "", "is not there, or is not a file", "put a YAML file there")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return Problem(file, None, "", f"cannot be read: {error.strerror}", "check who may read it")
    if len(raw) > MAX_BYTES:
        return Problem(file, None, "", "is larger than 1 MiB", "check that this is the file you mean")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(file, line, "", "is not UTF-8 text", "save the file as UTF-8")


class _Unsupported(yaml.MarkedYAMLError):
    """YAML that is correct but not accepted here."""

    def __init__(self, problem: str, remedy: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)
        self.remedy = remedy


class _PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases, of bounded depth, and with decimal numbers only."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own protocol
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in _UNWANTED_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        self._depth = 0
        super().__init__(text)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs leave it out
        if self.check_event(yaml.AliasEvent):
            raise _Unsupported("an alias (*name) is not supported", "write the value out", mark)
        if self._depth >= MAX_DEPTH:
            raise _Unsupported(f"is nested more than {MAX_DEPTH} levels deep", "check the brackets", mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


_PlainLoader.add_implicit_resolver(_TAG + "int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_PlainLoader.add_implicit_resolver(
    _TAG + "float",
    re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"),
    list("-+.0123456789"),
)


class _Reading:
    """The walk over the nodes of one file."""

    def __init__(self, file: str, loader: _PlainLoader) -> None:
        self._file = file
        self._loader = loader
        self._lines: dict[KeyPath, int] = {(): 1}
        self._problems: list[Problem] = []

    def source(self, root: yaml.Node | None) -> YamlSource:
        if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _TAG + "null"):
            return YamlSource(self._file, {}, self._lines)
        if isinstance(root, yaml.MappingNode):
            data = self._value(root, ())
            return YamlSource(self._file, data, self._lines, tuple(self._problems))
        problem = Problem(self._file, _line(root), "", "is not a mapping", "write keys with values, such as `queue:`")
        return YamlSource(self._file, None, problems=(problem,))

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._lines.setdefault(path, _line(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALAR_TAGS:
            return self._scalar(node)
        raise _Unsupported(f"the tag {_short(node.tag)} is not supported", "remove it", node.start_mark)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self._loader.construct_object(node)
        except (ValueError, LookupError) as error:  # PyYAML lets these out for `!!int x` and `!!bool x`
            said = f"a value cannot be read as {_short(node.tag)}"
            raise _Unsupported(said, "remove the tag, or put quotes around the value", node.start_mark) from error

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            is_plain = isinstance(key_node, yaml.ScalarNode) and key_node.tag in _SCALAR_TAGS
            key = self._scalar(key_node) if is_plain else None
            if not isinstance(key, str):
                self._add(key_node, path, _not_text(key_node), "put quotes around it")
            elif key in data:
                first = self._lines[*path, key]
                self._add(key_node, (*path, key), f"is written twice, first in line {first}", "remove one of the two")
            else:
                self._lines[*path, key] = _line(key_node)
                data[key] = self._value(value_node, (*path, key))
        return data

    def _add(self, node: yaml.Node, path: KeyPath, message: str, remedy: str) -> None:
        self._problems.append(Problem(self._file, _line(node), dotted(path), message, remedy))


def dotted(path: KeyPath) -> str:
    """The path as a `Problem` names it, such as `extract.fields.name` or `hosts.0`."""
    return ".".join(str(part) for part in path)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _short(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _not_text(key_node: yaml.Node) -> str:
    if isinstance(key_node, yaml.ScalarNode):
        return f"the key {key_node.value[:40]} is not text to YAML"
    return "a list or a mapping stands where a key should"


def _syntax_problem(file: str, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    said = error.problem or "cannot be read"
    if isinstance(error, _Unsupported):
        return Problem(file, line, "", said, error.remedy)
    if "'\\t'" in said:
        return Problem(file, line, "", "has a tab where YAML wants spaces", "replace the tab by spaces")
    if "single document" in (error.context or ""):
        return Problem(file, line, "", "holds more than one document", "remove the line --- and what follows it")
    return Problem(file, line, "", f"is not correct YAML: {said}", _syntax_remedy(said))


def _syntax_remedy(said: str) -> str:
    if "mapping values are not allowed" in said:
        return "check the indentation here, and put text that has a colon in quotes"
    if "cannot start any token" in said:
        return "put text that starts with such a character in quotes"
    return "check indentation, quotes and brackets here and in the line above"
