"""The text of a drafted platform file: YAML with comments that say why each line is there and how sure it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagemill.drafting.addresses import ProductAddresses
from pagemill.drafting.field_choice import FieldChoice, Sureness
from pagemill.drafting.file_edit import in_one_line
from pagemill.drafting.signs import FoundSign
from pagemill.drafting.source_order import DraftedSource

_WIDTH = 118
_GUESSES = 3
_KEYS = {
    "selector": 0,
    "path": 0,
    "attribute": 1,
    "visible": 2,
    "regex": 3,
    "prefix": 4,
    "type": 5,
    "map": 6,
    "else": 7,
}


@dataclass(frozen=True, slots=True)
class FileParts:
    """Everything that a drafted file contains."""

    platform: str
    hosts: tuple[str, ...]
    pages: int
    addresses: ProductAddresses
    wait_time_ms: str
    visitor: Mapping[str, Any]
    sources: Sequence[DraftedSource]
    choices: Sequence[FieldChoice]
    signs: Mapping[str, Sequence[FoundSign]]
    require: tuple[str, ...]
    judge_facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Verdict to the facts that mean it."""


def file_text(parts: FileParts) -> str:
    """The whole file."""
    return "\n".join([*_head(parts), "", *extract_lines(parts.sources, parts.choices), "", *judge_lines(parts), ""])


def _head(parts: FileParts) -> Iterator[str]:
    name = parts.platform
    yield f"# {name}: drafted from {parts.pages} pages. Look it through, and try it on pages that it has not seen:"
    yield f"# `pagemill try URL --platform {name}`."
    yield f"platform: {name}"
    yield f"hosts: [{', '.join(in_one_line(host) for host in parts.hosts)}]"
    if parts.addresses.id is not None:
        yield ""
        yield "product:"
        yield f"  # {parts.addresses.why}"
        yield f"  id: {in_one_line(parts.addresses.id)}"
        if parts.addresses.visit is not None:
            yield f"  visit: {in_one_line(parts.addresses.visit)}   # remove it if what else is in a row's URL matters"
    else:
        yield f"# no product.id: {parts.addresses.why}"
    yield ""
    yield "workflow:"
    yield f"  rate_limit: {{wait_time_ms: {parts.wait_time_ms}}}   # between two visits of one lane"
    if parts.visitor:
        yield ""
        yield "visitor:"
        for key, value in parts.visitor.items():
            yield f"  {key}: {in_one_line(value)}"


def extract_lines(sources: Sequence[DraftedSource], choices: Sequence[FieldChoice]) -> Iterator[str]:
    """The section `extract`."""
    yield "extract:                        # no `ready`: each field is waited for by itself"
    yield "  sources:"
    told: set[str] = set()
    by_name = {choice.name: choice for choice in choices}
    for source in sources:
        yield f"    - strategy: {source.key.strategy}   # {source.why}"
        if source.key.key:
            value = "true" if source.key.key == "document" else in_one_line(source.key.where)
            yield f"      {source.key.key}: {value}"
        yield "      fields:"
        for name, rules in source.fields.items():
            choice = by_name.get(name)
            if choice is not None and name not in told:
                yield f"        # {choice.sureness.value}: {choice.why}"
            told.add(name)
            yield from _rules(name, rules)
    for choice in choices:
        if choice.sureness is Sureness.NOT_FOUND:
            yield f"  # {choice.name} was not found: {choice.why}"
            for guess in choice.guesses[:_GUESSES]:
                said = ", ".join(repr(value) for value in guess.values)
                yield f"  #   {guess.source.strategy} {in_one_line(_ordered(guess.rule))} says {said}"[:_WIDTH]


def judge_lines(parts: FileParts) -> Iterator[str]:
    """The section `judge`."""
    yield "judge:"
    for verdict in ("gone", "off_sale", "sold_out"):
        signs, facts = parts.signs.get(verdict, ()), parts.judge_facts.get(verdict)
        kinds = list(dict.fromkeys(sign.kind for sign in signs))
        if verdict == "gone":
            kinds = ["status", *(kind for kind in kinds if kind != "status")]
        if not kinds and facts is None:
            continue
        yield f"  {verdict}:"
        for kind in kinds:
            values = [sign.value for sign in signs if sign.kind == kind]
            if kind == "status" and verdict == "gone":
                values = [*dict.fromkeys([404, 410, *values])]
            why = next((f"   # {_guess(sign)}{sign.why}" for sign in signs if sign.kind == kind), "")
            yield f"    {kind}: {in_one_line(values)}{why}"
        if facts is not None:
            yield f"    facts: {in_one_line(facts)}"
    if any("image" in source.fields for source in parts.sources):
        yield "  compare: {image: ignore_query}   # sizes and versions stand behind the ?"
    if parts.require:
        yield f"  require: [{', '.join(parts.require)}]   # without it no verdict is believed"


def _guess(sign: FoundSign) -> str:
    return "unsure: " if sign.guess else ""


def _rules(name: str, rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(rules) == 1:
        yield from _rule(f"        {name}:", "          ", rules[0])
        return
    yield f"        {name}:"
    for rule in rules:
        yield from _rule("          -", "            ", rule)


def _rule(before: str, indent: str, rule: Mapping[str, Any]) -> Iterator[str]:
    line = f"{before} {in_one_line(_ordered(rule))}"
    if len(line) <= _WIDTH:
        yield line
        return
    items = list(_ordered(rule).items())
    if before.endswith("-"):
        yield f"{before} {items[0][0]}: {in_one_line(items[0][1])}"
        items = items[1:]
    else:
        yield before
    for key, value in items:
        if isinstance(value, dict) and len(f"{indent}{key}: {in_one_line(value)}") > _WIDTH:
            yield f"{indent}{key}:"
            for word, meaning in value.items():
                yield f"{indent}  {in_one_line(word)}: {in_one_line(meaning)}"
        else:
            yield f"{indent}{key}: {in_one_line(value)}"


def _ordered(rule: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(rule.items(), key=lambda item: _KEYS.get(item[0], 9)))
