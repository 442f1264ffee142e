"""Prints the result of `pagemill draft` as tables, and decides whether it is good enough."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pagemill.drafting.beliefs import agrees
from pagemill.drafting.choose import Draft
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.field_choice import FieldChoice
from pagemill.drafting.trial import TriedPage
from pagemill.model import FactValue

_SHOWN = 60
_GUESSES = 3


def print_report(console: Console, draft: Draft, tried: Sequence[TriedPage]) -> None:
    """Prints everything, for people."""
    console.print(_pages(tried))
    console.print(_fields(draft, tried))
    for line in _guesses(draft):
        console.print(line)
    for one in tried:
        for trouble in one.page.evidence.troubles:
            console.print(f"{one.page.evidence.url}: {trouble}")


def shortcomings(draft: Draft, tried: Sequence[TriedPage]) -> list[str]:
    """What must be improved before the file is used; empty for a good draft."""
    found = [choice.told for choice in draft.choices if choice.is_too_unsure]
    for number, one in enumerate(tried, 1):
        if not one.is_right:
            reason = f" ({one.judgement.reason})" if one.judgement.reason else ""
            found.append(f"page {number} is {one.judgement.verdict.value}{reason}, and should be {one.right.value}")
        found += [f"page {number}: {said}" for said in _disagreements(draft, number - 1, one)]
    return found


def _disagreements(draft: Draft, at: int, one: TriedPage) -> list[str]:
    """Fields whose trial gave another value than the draft."""
    if one.reading is None or one.page.evidence.role is PageRole.GONE:
        return []
    found = []
    for choice in draft.choices:
        meant = _meant(choice, at)
        read = one.reading.facts.get(choice.name)
        if meant is not None and not agrees(read, meant):
            found.append(f"{choice.name} was read as {read!r}, and {meant!r} was meant")
    return found


def _meant(choice: FieldChoice, at: int) -> FactValue:
    return next((rule.values[at] for rule in choice.rules if rule.values[at] is not None), None)


def _choice(draft: Draft, name: str) -> FieldChoice | None:
    return next((choice for choice in draft.choices if choice.name == name), None)


def _pages(tried: Sequence[TriedPage]) -> Table:
    table = Table("page", "is", "url", "verdict")
    for number, one in enumerate(tried, 1):
        verdict = one.judgement.verdict.value + (f": {one.judgement.reason}" if one.judgement.reason else "")
        role = one.page.evidence.role.value
        table.add_row(str(number), role, one.page.evidence.url, verdict if one.is_right else f"{verdict} (wrong)")
    return table


def _fields(draft: Draft, tried: Sequence[TriedPage]) -> Table:
    table = Table("field", "what each page says", "from", "sureness")
    for name in draft.platform.extract.fields:
        choice = _choice(draft, name) or (_choice(draft, "status") if name == "in_stock" else None)
        sure = "" if choice is None else f"{choice.sureness.value}: {choice.why}"
        table.add_row(name, _values(name, tried), _sources(name, tried), sure)
    for choice in draft.choices:
        if choice.name not in draft.platform.extract.fields:
            table.add_row(choice.name, "", "", f"{choice.sureness.value}: {choice.why}")
    return table


def _values(name: str, tried: Sequence[TriedPage]) -> str:
    lines = []
    for number, one in enumerate(tried, 1):
        value = None if one.reading is None else one.reading.facts.get(name)
        lines.append(f"{number} {'-' if value is None else _cut(repr(value))}")
    return "\n".join(lines)


def _sources(name: str, tried: Sequence[TriedPage]) -> str:
    lines = []
    for one in tried:
        told = () if one.reading is None else one.reading.told.get(name, ())
        counting = next((each for each in told if each.value is not None), None)
        by_else = " (else)" if counting is not None and counting.state == "default" else ""
        lines.append("" if counting is None else f"{counting.source + 1} {counting.strategy}{by_else}")
    return "\n".join(lines)


def _guesses(draft: Draft) -> list[str]:
    lines = []
    for choice in draft.choices:
        if choice.rules or not choice.guesses:
            continue
        lines.append(f"{choice.name} was not found. It might be:")
        for guess in choice.guesses[:_GUESSES]:
            shown = ", ".join(f"{key}: {value}" for key, value in guess.rule.items())
            lines.append(f"  {guess.source.strategy} {shown} -> {', '.join(_cut(repr(v)) for v in guess.values)}")
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
