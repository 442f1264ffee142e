"""Puts a place that somebody has picked in front of those that were chosen. Pure: no page is visited for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pagemill.drafting.candidates import Candidate
from pagemill.drafting.choose import meant_verdicts, placed, required_of
from pagemill.drafting.field_choice import FieldChoice, Sureness
from pagemill.drafting.file_text import FileParts
from pagemill.drafting.source_order import sources_of
from pagemill.errors import UsageError


def field_places(choice: FieldChoice) -> tuple[Candidate, ...]:
    """All candidates for the field, each once: first the chosen ones in order, then the others, the best first."""
    found: list[Candidate] = list(choice.rules)
    for guess in choice.guesses:
        if not any(one.source == guess.source and one.rule == guess.rule for one in found):
            found.append(guess)
    return tuple(found)


def chosen_by_hand(parts: FileParts, picks: Mapping[str, int]) -> FileParts:
    """The same file with the picked places first; those that were chosen before follow them.

    Args:
        parts: the draft.
        picks: field by the number of one of its `field_places`, from 0.

    Raises:
        UsageError: there is no such field or no such place.
    """
    known = {choice.name: choice for choice in parts.choices}
    for name, number in picks.items():
        if name not in known:
            raise UsageError(f"{name} is no field of this draft: choose among {', '.join(known)}")
        count = len(field_places(known[name]))
        if not 0 <= number < count:
            told = f"choose one from 0 to {count - 1}" if count else "no place was found that says it"
            raise UsageError(f"{name} has no place {number}: {told}")
    choices = [_picked(choice, picks[choice.name]) if choice.name in picks else choice for choice in parts.choices]
    fields = placed(choices)
    return replace(
        parts,
        sources=sources_of(fields),
        choices=choices,
        require=required_of(fields),
        judge_facts=meant_verdicts(choices, fields),
    )


def _picked(choice: FieldChoice, number: int) -> FieldChoice:
    first = field_places(choice)[number]
    if choice.rules[:1] == (first,):
        return choice
    rules = (first, *(rule for rule in choice.rules if rule != first))
    guesses = tuple(guess for guess in choice.guesses if guess != first)
    silent = sum(value is None for value in first.values)
    why = "chosen by hand" + (f"; it says nothing on {silent} of {len(first.values)} pages" if silent else "")
    return replace(choice, rules=rules, guesses=guesses, sureness=Sureness.LIKELY if silent else Sureness.SURE, why=why)
