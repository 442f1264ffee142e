"""What the sources of a visit have said so far, and the facts that come of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pagemill.config.reading.extract import Extract
from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.judge import ErrorSign, Judge
from pagemill.errors import PatternTooSlow
from pagemill.extraction.json_path import told_at_path, word_at
from pagemill.model import FactValue, FieldTold

ToldField = tuple[str, FieldTold]
"""A field's name, and what one of its rules has found."""


@dataclass(slots=True)
class SourcesTold:
    """What was heard of one product, from the sources that were asked so far."""

    told: dict[str, list[FieldTold]] = field(default_factory=dict)
    errors: list[tuple[str, str | None]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def add(self, entries: Iterable[ToldField]) -> None:
        """Adds what a source has said."""
        for name, entry in entries:
            self.told.setdefault(name, []).append(entry)

    def copy(self) -> SourcesTold:
        """A copy that can be added to by itself."""
        told = {name: list(entries) for name, entries in self.told.items()}
        return SourcesTold(told, list(self.errors), list(self.troubles), list(self.requests))

    def take(self, other: SourcesTold) -> None:
        """Replaces everything by what `other` was told."""
        self.told, self.errors, self.troubles, self.requests = other.told, other.errors, other.troubles, other.requests

    def without(self, sources: Collection[int]) -> SourcesTold:
        """A copy without what those sources have said."""
        told = {name: [one for one in entries if one.source not in sources] for name, entries in self.told.items()}
        kept = {name: entries for name, entries in told.items() if entries}
        return SourcesTold(kept, list(self.errors), list(self.troubles), list(self.requests))

    def first(self, name: str) -> FieldTold | None:
        """The entry that counts for a field: the most preferred one; a default only if there is nothing else."""
        valued = [one for one in self.ordered().get(name, ()) if one.value is not None]
        # An `else` holds only if nothing else was found, also not by a later source.
        return next((one for one in valued if one.state != "default"), valued[0] if valued else None)

    def ordered(self) -> dict[str, tuple[FieldTold, ...]]:
        """What was said of each field, in the order of preference."""
        return {name: tuple(sorted(entries, key=lambda one: one.source)) for name, entries in self.told.items()}

    def facts(self, extract: Extract) -> tuple[dict[str, FactValue], frozenset[str]]:
        """Each field's fact, from the first source that has said one, and the names of the facts by default. No facts
        at all if no source was read."""
        facts: dict[str, FactValue] = dict.fromkeys(extract.fields) if self.told else {}
        defaults = set()
        for name in facts:
            if (first := self.first(name)) is not None:
                facts[name] = first.value
                if first.state in ("default", "absent"):
                    defaults.add(name)
        return facts, frozenset(defaults)


def error_paths(judge: Judge) -> tuple[str, ...]:
    """The paths at which JSON answers may report errors."""
    signs: Iterator[ErrorSign] = (error for signs in judge.by_verdict.values() for error in signs.error)
    return tuple(dict.fromkeys(sign.path for sign in signs))


def errors_in(document: object, paths: Iterable[str]) -> list[tuple[str, str | None]]:
    """What stands at those paths, each with its path. Paths that lead nowhere are left out."""
    found = ((path, word_at(document, path)) for path in paths)
    return [(path, word[0]) for path, word in found if word is not None]


def told_by_json(
    document: object, fields: Mapping[str, tuple[FieldRule, ...]], source: int, strategy: str
) -> list[ToldField]:
    """What a JSON document says of every field of a source.

    Raises:
        PatternTooSlow: a field's `regex` took longer than it may.
    """
    return [(name, _told(document, name, rule, source, strategy)) for name, rules in fields.items() for rule in rules]


def _told(document: object, name: str, rule: FieldRule, source: int, strategy: str) -> FieldTold:
    try:
        return told_at_path(document, rule, source, strategy)
    except PatternTooSlow as error:
        raise error.of_field(name) from error


def told_nothing(fields: Mapping[str, tuple[FieldRule, ...]], source: int, strategy: str) -> list[ToldField]:
    """What to tell of a source that could not be read: no rule has found anything, and no default holds."""
    return [(name, FieldTold(source, strategy)) for name, rules in fields.items() for _rule in rules]
