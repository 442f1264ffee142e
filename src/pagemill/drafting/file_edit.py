"""Changes single places in a platform file's text, and leaves all other characters as they are, comments included.

Pure. It finds values by the marks of YAML's parser. Callers decide which values there should be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pagemill.config.reading.judge import is_short_form

SignTexts = Mapping[str, Mapping[str, Sequence[Any]]]
"""Verdict to kind of sign to values."""


def section_lines(text: str, name: str) -> list[str]:
    """The lines of a top-level section, without the lines between it and the next one; none if it is missing."""
    first, end = _section(text, name)
    return text.splitlines()[first:end]


def with_section(text: str, name: str, lines: Sequence[str]) -> str:
    """The text with other lines for that top-level section, which is added at the end if it is missing."""
    first, end = _section(text, name)
    every = text.splitlines()
    if first == end:
        every = [*_without_blank_end(every), ""]
        first = end = len(every)
    return "\n".join([*every[:first], *lines, *every[end:]]) + "\n"


def with_signs(text: str, added: SignTexts) -> str:
    """The text with more signs of verdicts in `judge`; its present signs stay."""
    for verdict, kinds in added.items():
        for kind, values in kinds.items():
            text = _with_sign(text, verdict, kind, list(values))
    return text


def without_sign(text: str, verdict: str, kind: str) -> str:
    """The text without that kind of signs of a verdict, and without the comment on their line."""
    signs = _child(_child(_root(text), "judge"), verdict)
    data = None if signs is None else _data_of(signs)
    if not isinstance(signs, yaml.MappingNode) or not isinstance(data, dict):
        return text
    if is_short_form(data):
        return _replaced(text, signs, {})
    rest = {key: value for key, value in data.items() if key != kind}
    if signs.flow_style or not rest:
        return _replaced(text, signs, rest)
    key, value = next(entry for entry in signs.value if entry[0].value == kind)
    every = text.splitlines()
    return "\n".join([*every[: key.start_mark.line], *every[_last_line(value) + 1 :]]) + "\n"


def in_one_line(value: Any) -> str:
    """A value as one line of YAML."""
    text = yaml.dump(value, Dumper=_OneLine, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


class _OneLine(yaml.SafeDumper):
    """Writes a value that occurs twice in full both times, because pagemill accepts no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _with_sign(text: str, verdict: str, kind: str, values: list[Any]) -> str:
    judge = _child(_root(text), "judge")
    if judge is None:
        return with_section(text, "judge", ["judge:", f"  {verdict}: {in_one_line({kind: values})}"])
    signs = _child(judge, verdict)
    if signs is None or not isinstance(judge, yaml.MappingNode):
        return _with_entry(text, judge, verdict, {kind: values})
    data = _data_of(signs)
    if not isinstance(data, dict):
        return _replaced(text, signs, {kind: values})
    if is_short_form(data):
        return _replaced(text, signs, {"facts": data, kind: values} if data else {kind: values})
    there = _child(signs, kind)
    if there is None:
        return _with_entry(text, signs, kind, values)
    before = _data_of(there)
    before = [*before] if isinstance(before, list) else [] if before is None else [before]
    more = [value for value in values if value not in before]
    if isinstance(there, yaml.SequenceNode) and not there.flow_style:
        at, indent = _last_line(there), " " * there.start_mark.column
        return _with_lines(text, at + 1, [f"{indent}- {in_one_line(value)}" for value in more])
    return _replaced(text, there, [*before, *more])


def _with_entry(text: str, mapping: yaml.Node, key: str, value: Any) -> str:
    """Adds a key to a mapping, after its last one."""
    line = f"{key}: {in_one_line(value)}"
    if not isinstance(mapping, yaml.MappingNode) or not mapping.value:
        return _replaced(text, mapping, {key: value})
    if mapping.flow_style:
        end = mapping.end_mark.index - 1
        return f"{text[:end].rstrip()}, {line}{text[end:]}"
    return _with_lines(text, _last_line(mapping) + 1, [f"{' ' * mapping.start_mark.column}{line}"])


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    """Replaces the value of a node. Comments on the remaining lines of a block stay."""
    if node.start_mark.index == node.end_mark.index:
        return f"{text[: node.start_mark.index].rstrip(' ')} {in_one_line(value)}{text[node.end_mark.index :]}"
    if _is_block(node):
        first, last = node.start_mark.line, _last_line(node)
        every = text.splitlines()
        head = every[first - 1] if first else ""
        rest = [f"{head.rstrip()} {in_one_line(value)}", *every[last + 1 :]]
        return "\n".join([*every[: first - 1], *rest]) + "\n"
    return f"{text[: node.start_mark.index]}{in_one_line(value)}{text[node.end_mark.index :]}"


def _with_lines(text: str, at: int, lines: Sequence[str]) -> str:
    every = text.splitlines()
    return "\n".join([*every[:at], *lines, *every[at:]]) + "\n"


def _section(text: str, name: str) -> tuple[int, int]:
    """The first line of a top-level section and the one after its last; twice the same if it is missing."""
    root = _root(text)
    for key, value in root.value:
        if key.value == name:
            return key.start_mark.line, _last_line(value) + 1
    return 0, 0


def _root(text: str) -> yaml.MappingNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("no platform file: it has no keys")
    return root


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _data_of(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _last_line(node: yaml.Node) -> int:
    """The last line of a node. The parser's own end of a block is where the next key begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return node.end_mark.line - 1 if node.end_mark.column == 0 else node.end_mark.line
    return node.end_mark.line


def _without_blank_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
