"""Which columns of its product's row a result should change, and to which values. Pure.

Owns what is never written: nothing, blank or damaged text, a number that is not above 0, what there is no word for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pagemill.config.catalog import CatalogUpdate
from pagemill.config.platform import Platform
from pagemill.intake.expected import ValueKind, value_kind_of
from pagemill.model import FactValue, ItemResult, Verdict

WRITTEN_VERDICTS = (Verdict.CHANGED, Verdict.SOLD_OUT, Verdict.OFF_SALE, Verdict.GONE)
"""Those that say something of a product that the catalogue may not say. `ok` agrees, the others know nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One column of a product's row.

    `expected` is what the run read there, `None` for nothing. `never` is why the value is not written; empty if it may
    be.
    """

    field: str
    kind: ValueKind
    column: str
    expected: FactValue
    value: FactValue
    never: str = ""


def wishes_of(result: ItemResult, platform: Platform) -> tuple[Wish, ...]:
    """The wishes of one result, by the fields that `catalog.update` has.

    `changed` wants what was found in place of what was expected; other verdicts what stands under their name, whatever
    else was found: a page that sells nothing is no witness of a price.
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
    """The catalogue's word for what was found; `None` where it has none for it."""
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
