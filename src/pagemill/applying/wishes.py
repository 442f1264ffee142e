"""Decides which columns of a product's row a result should change, and to which values. Pure.

Also decides what is never written: no value, blank or damaged text, a number that is not above 0, an unknown word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pagemill.config.catalog import CatalogUpdate
from pagemill.config.platform import Platform
from pagemill.intake.expected import ValueKind, value_kind_of
from pagemill.model import FactValue, ItemResult, Verdict

WRITTEN_VERDICTS = (Verdict.CHANGED, Verdict.SOLD_OUT, Verdict.OFF_SALE, Verdict.GONE)
"""Verdicts by which the row may change. `ok` means the row is right; the others say nothing about the product."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One column to change in a product's row.

    `expected` is what the run read there, `None` for nothing. `never` is the reason why the value is not written, or
    empty if it may be written.
    """

    field: str
    kind: ValueKind
    column: str
    expected: FactValue
    value: FactValue
    never: str = ""


def wishes_of(result: ItemResult, platform: Platform) -> tuple[Wish, ...]:
    """The wishes of one result, for the fields in `catalog.update`.

    For `changed`, each difference's found value replaces the expected one. For other verdicts the values under the
    verdict's name in `catalog.update` are written, and nothing found on the page: a page that sells nothing proves no
    price.
    """
    return tuple(_wishes(result, platform))


def _wishes(result: ItemResult, platform: Platform) -> Iterator[Wish]:
    update = platform.catalog.update
    for field, expected, value in _wanted(result, update):
        if field in update.written:
            kind = value_kind_of(platform.extract.fields.get(field, ()))
            yield Wish(field, kind, update.written[field], expected, value, _never(value, kind))


def _wanted(result: ItemResult, update: CatalogUpdate) -> Iterator[tuple[str, FactValue, FactValue]]:
    if result.verdict is Verdict.CHANGED:
        for difference in result.differences:
            yield difference.field, difference.expected, _word(difference.field, difference.found, update)
    elif result.verdict in WRITTEN_VERDICTS:
        for field, value in getattr(update, result.verdict.value).items():
            yield field, result.expected.get(field), value


def _word(field: str, found: FactValue, update: CatalogUpdate) -> FactValue:
    """The catalogue's word for a found value; `None` if `catalog.update.words` lacks it."""
    words = update.words.get(field)
    if words is None or found is None:
        return found
    by_found = {_folded(each): word for each, word in words.items()}
    return by_found.get(_folded(found))


def _folded(value: FactValue) -> str:
    return " ".join(str(value).split()).casefold()


def _never(value: FactValue, kind: ValueKind) -> str:
    if value is None:
        return "nothing was found, or catalog.update.words has no word for it"
    if isinstance(value, str) and not value.strip():
        return "what was found is blank"
    if isinstance(value, str) and "\ufffd" in value:
        return "what was found has characters that could not be read"
    if kind == "number" and isinstance(value, int | float) and not value > 0:
        return f"{value} is never written"
    return ""
