"""Checks between sections of a platform: fields and templates that do not exist, signs that can never be met. Pure;
each check returns its mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pagemill.config.catalog import CatalogTable
from pagemill.config.mistakes import Mistake
from pagemill.config.reading.extract import Extract
from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.judge import Judge, VerdictSigns, Wanted
from pagemill.config.reading.patterns import names_filled, names_in, texts_in
from pagemill.config.reading.source import Source
from pagemill.model import FactValue

MistakePath = tuple[str | int, ...]
_STABLE = re.compile(r"\[(?:property|itemprop|name|data-)|#|^h1$", re.IGNORECASE)
"""Parts of a selector that survive most redesigns of a shop."""
_YES_OR_NO = frozenset({"true", "false", "yes", "no", "1", "0", "y", "n", "on", "off"})


def unknown_fields(
    extract: object, above: MistakePath, names: Iterable[str], *, also: tuple[str, ...] = ()
) -> list[Mistake]:
    """A mistake for each name that is neither one of the platform's fields nor one of `also`."""
    if not isinstance(extract, Extract):  # it has mistakes of its own
        return []
    known = (*also, *sorted(extract.fields))
    remedy = f"write one of {', '.join(known)}"
    return [Mistake("is not one of extract.fields", remedy, *above, name) for name in names if name not in known]


def catalog_mistakes(catalog: CatalogTable, extract: object) -> list[Mistake]:
    """Columns of fields that do not exist, and values that must never be written."""
    mistakes = unknown_fields(extract, ("columns",), catalog.columns, also=("id", "url"))
    update = catalog.update
    mistakes += unknown_fields(extract, ("update", "columns"), update.columns)
    mistakes += unknown_fields(extract, ("update", "never"), update.never)
    if not isinstance(extract, Extract):
        return mistakes
    keys = [catalog.columns.get(name, name) for name in ("id", "url")]
    for field, column in update.columns.items():
        if catalog.columns and field in extract.fields and field not in catalog.columns:
            remedy = "add it to catalog.columns"
            mistakes.append(
                Mistake("is not read, so no run knows what the row said", remedy, "update", "columns", field)
            )
        if column in keys:
            mistakes.append(Mistake("says which product a row is", "name another column", "update", "columns", field))
    for place, field, value in update.said():
        if field not in update.columns:
            known = ", ".join(update.columns) or "none"
            message, remedy = f"{field} is not one of update.columns", f"add it there; those are {known}"
            mistakes.append(Mistake(message, remedy, "update", *place))
        elif value is None or (isinstance(value, str) and not value.strip()):
            mistakes.append(Mistake("nothing is never written", "write a value, or remove the line", "update", *place))
        elif is_number(extract.fields.get(field, ())) and not _is_above_0(value):
            mistakes.append(Mistake("is never written to a number", "write one above 0", "update", *place))
    return mistakes


def is_number(rules: tuple[FieldRule, ...]) -> bool:
    """Whether a field's values are numbers."""
    return {rule.kind for rule in rules} == {"number"}


def _is_above_0(value: FactValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def addresses_in(extract: Extract) -> list[tuple[MistakePath, str | None]]:
    """Every address that a source requests, with its path below `extract`."""
    found: list[tuple[MistakePath, str | None]] = []
    for position, source in enumerate(extract.sources):
        found.append((("sources", position, "url"), source.url))
        found.append((("sources", position, "fetch", "url"), source.fetch.url if source.fetch else None))
    return found


def unknown_names(extract: Extract, known: frozenset[str]) -> list[Mistake]:
    """A mistake for each template with an unknown name."""
    mistakes = []
    for position, source in enumerate(extract.sources):
        for key, template, names in _templates(source, known):
            if unknown := sorted(names_in(template) - names):
                remedy = f"write one of {', '.join(sorted(names))}, or name a group so in product.id"
                where = ("sources", position, *key)
                mistakes.append(Mistake(f"{', '.join(unknown)} is not known", remedy, *where))
    return mistakes


def _templates(source: Source, known: frozenset[str]) -> Iterator[tuple[MistakePath, str, frozenset[str]]]:
    if source.url is not None:
        yield ("url",), source.url, known
    if source.match is not None and not source.match.startswith("re:"):
        yield ("match",), source.match, known
    if source.fetch is not None and source.fetch.url is not None:
        yield ("fetch", "url"), source.fetch.url, known | source.fetch.groups
    for key, value in (("headers", source.headers), ("form", source.form), ("json", source.json_body)):
        for text in texts_in(value):
            yield (key,), "".join(f"{{{name}}}" for name in names_filled(text)), known


def judge_mistakes(judge: Judge, extract: object, names: frozenset[str]) -> list[Mistake]:
    """The mistakes in rules of judgement: fields that do not exist, and signs that can never be met."""
    if not isinstance(extract, Extract):
        return []
    mistakes = unknown_fields(extract, ("tolerance",), judge.tolerance)
    mistakes += unknown_fields(extract, ("compare",), judge.compare)
    mistakes += unknown_fields(extract, ("require",), judge.require)
    for position, pattern in enumerate(judge.landing):
        if not pattern.startswith("re:") and (unknown := sorted(names_in(pattern) - names)):
            remedy = f"write one of {', '.join(sorted(names))}, or name a group so in product.id"
            mistakes.append(Mistake(f"{', '.join(unknown)} is not known", remedy, "landing", position))
    for verdict, signs in judge.by_verdict.items():
        mistakes += _sign_mistakes(verdict, signs, extract)
    return mistakes


def _sign_mistakes(verdict: str, signs: VerdictSigns, extract: Extract) -> Iterator[Mistake]:
    for facts in signs.facts:
        # A platform without in_stock keeps the default of sold_out, which then never applies.
        names = [name for name in facts if name != "in_stock" or verdict != "sold_out"]
        yield from unknown_fields(extract, (verdict, "facts"), names)
        for name, wanted in facts.items():
            rules = extract.fields.get(name, ())
            if rules and not any(_can_be(one, rules) for one in _each(wanted)):
                possible = _possible(rules)
                remedy = f"write one of {possible}" if possible else "write a value that the field can have"
                yield Mistake(f"{name} is never {_shown(wanted)}", remedy, verdict, "facts", name)
    if not extract.visits_pages:
        for kind in ("text", "selector", "dialog"):
            if getattr(signs, kind):
                yield Mistake("can never be seen: no page is visited", "remove it", verdict, kind)
    if signs.error and not any(_reads_json(source) for source in extract.sources):
        remedy = "remove it, or add a source that does: http, api_capture, state"
        yield Mistake("can never be met: no source reads JSON", remedy, verdict, "error")


def _reads_json(source: Source) -> bool:
    fetches = source.fetch is not None and source.fetch.url is not None
    return source.is_own or fetches or source.strategy in ("http", "api_capture", "state")


def _each(wanted: Wanted) -> tuple[FactValue, ...]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _can_be(wanted: FactValue, rules: tuple[FieldRule, ...]) -> bool:
    return any(_gives(rule, wanted) for rule in rules)


def _gives(rule: FieldRule, wanted: FactValue) -> bool:
    if rule.values is not None:
        return any(_alike(wanted, value) for value in rule.values)
    if rule.kind == "boolean":
        return isinstance(wanted, bool) or str(wanted).lower() in _YES_OR_NO
    if rule.kind == "number":
        return not isinstance(wanted, bool) and any(character.isdecimal() for character in str(wanted))
    return True


def _alike(wanted: FactValue, value: FactValue) -> bool:
    if isinstance(value, bool):
        return wanted is value or str(wanted).lower() in _YES_OR_NO
    return str(wanted).strip() == str(value).strip()


def _possible(rules: tuple[FieldRule, ...]) -> str:
    values = [value for rule in rules for value in (rule.values or ())]
    return ", ".join(dict.fromkeys(_shown(value) for value in values))


def _shown(value: Wanted) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return " or ".join(_shown(one) for one in value) if isinstance(value, tuple) else str(value)


def fragile_fields(extract: Extract) -> dict[str, str]:
    """Fields that rely on one selector which shops change often, each with that selector."""
    found: dict[str, str] = {}
    for name, rules in extract.fields.items():
        if len(rules) == 1 and len(rules[0].selector) == 1 and not _STABLE.search(rules[0].selector[0]):
            found[name] = rules[0].selector[0]
    return found
