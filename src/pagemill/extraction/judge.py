"""From a reading to a verdict. Pure: the product, the reading and the platform's rules in, the judgement out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from pagemill.config.reading.judge import Compare, Judge, VerdictSigns, Wanted
from pagemill.config.reading.patterns import Names, Part
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.extraction.identity import Identity, is_elsewhere
from pagemill.extraction.numbers.number_text import read_number
from pagemill.extraction.signs import dialog_sign, url_sign
from pagemill.extraction.values import collapse, read_boolean
from pagemill.model import Difference, Facts, FactValue, FieldTold, Judgement, PageReading, Product, Verdict

_MAX_SHOWN = 80
"""Characters of one value in a reason; the differences hold it in full."""
_MAX_REASON = 400


def judge_reading(product: Product, reading: PageReading, rules: Judge, names: Names | None = None) -> Judgement:
    """The verdict on one product; the first that fits, in this order.

    1. `gone`, `off_sale`, `blocked`: one of the rules' signs was met, except signs by facts (see 4).
    2. `failed`: any other status from 400, a visit that ended elsewhere, or content that did not appear.
    3. `failed`: nothing was read, or not what `rules.require` names.
    4. `gone`, `off_sale`, `blocked`, `sold_out` by facts. A fact that was not said is no sign.
    5. `failed`: a field that the product expects was not said.
    6. `changed`: an expected field differs by more than its comparison allows.
    7. `ok`.

    `sold_out` by a text, a selector, an address, a dialog or an error comes between 1 and 2: a sold-out page may lack
    what an ordinary one has.

    Only fields that the product expects (not `None`) and that the platform reads are compared. Numbers compare as
    numbers, also where the catalogue has text such as `12,900원`. Booleans compare with texts such as `true`. Text
    compares exactly, but for white space.

    Args:
        product: what the catalogue expects.
        reading: what the visit brought.
        rules: the platform's.
        names: what `{id}` and other names mean for the product; without them the row's id stands for it.
    """
    elsewhere = _is_elsewhere(reading, rules, names or {"id": Part(product.id)})
    differences = tuple(_differences(product.expected, reading.facts, rules))
    for verdict, signs in _before_facts(rules):
        of_product = verdict is not Verdict.SOLD_OUT or not elsewhere
        if reason := _sign(reading if of_product else replace(reading, texts=(), texts_in=(), selectors=()), signs):
            return Judgement(verdict, reason, differences if verdict is Verdict.SOLD_OUT else ())
    if failure := _failure(reading, rules, elsewhere=elsewhere):
        return Judgement(Verdict.FAILED, _bounded(failure))
    for verdict, signs in _before_facts(rules):
        if reason := _facts_sign(reading.facts, signs):
            return Judgement(verdict, reason, differences if verdict is Verdict.SOLD_OUT else ())
    unsaid = [
        name
        for name, expected in product.expected.items()
        if expected is not None and name in reading.facts and reading.facts[name] is None
    ]
    if unsaid:
        return Judgement(Verdict.FAILED, _bounded(f"the page does not say {_unsaid(unsaid, reading)}"))
    if differences:
        reason = ", ".join(f"{d.field}: {_shown(d.expected)} -> {_shown(d.found)}" for d in differences)
        return Judgement(Verdict.CHANGED, _bounded(reason), differences)
    return Judgement(Verdict.OK)


def is_blocked(reading: PageReading, rules: Judge) -> bool:
    """Whether a sign for `blocked` was met, other than by facts."""
    return bool(_sign(reading, rules.blocked))


def met_signs(reading: PageReading, rules: Judge) -> list[tuple[Verdict, str]]:
    """Every sign that a reading has met, with its verdict, including signs that do not decide. For people."""
    found = [(verdict, _sign(reading, signs)) for verdict, signs in _before_facts(rules)]
    found += [(verdict, _facts_sign(reading.facts, signs)) for verdict, signs in _before_facts(rules)]
    return [(verdict, reason) for verdict, reason in found if reason]


def _before_facts(rules: Judge) -> tuple[tuple[Verdict, VerdictSigns], ...]:
    return (
        (Verdict.GONE, rules.gone),
        (Verdict.OFF_SALE, rules.off_sale),
        (Verdict.BLOCKED, rules.blocked),
        (Verdict.SOLD_OUT, rules.sold_out),
    )


def _sign(reading: PageReading, signs: VerdictSigns) -> str:
    """The first sign that was met, other than by facts; empty if there is none."""
    if reading.status is not None and reading.status in signs.status:
        return f"HTTP {reading.status}"
    for within, text in signs.texts:
        if (within, text) in reading.texts_in or (not within and text in reading.texts):
            return _bounded(f'the page says "{_shown(text)}"')
    if reading.asked and (url := url_sign(signs.url, reading.asked, reading.url)) is not None:
        return _bounded(f'the visit ended at {_shown(reading.url)}, which has "{_shown(url)}"')
    if (said := dialog_sign(signs, reading.dialogs)) is not None:
        return _bounded(f'a dialog says "{_shown(said)}"')
    if (selector := next((one for one in signs.selector if one in reading.selectors), None)) is not None:
        return _bounded(f"the page has {_shown(selector)}")
    for error in signs.error:
        for path, word in reading.errors:
            if path == error.path and _is_word(word, error.words):
                return _bounded(f"{path} is {'null' if word is None else _shown(word)}")
    return ""


def _is_word(word: str | None, words: Iterable[str | None]) -> bool:
    return None in words if word is None else _is_one_of(word, words)


def _is_one_of(value: FactValue, words: Iterable[str | None]) -> bool:
    said = _shown(value) if isinstance(value, bool) else collapse(str(value))
    return any(one is not None and collapse(one).casefold() == said.casefold() for one in words)


def _facts_sign(facts: Facts, signs: VerdictSigns) -> str:
    for wanted in signs.facts:
        if all(_holds(facts.get(name), value) for name, value in wanted.items()):
            return _bounded(", ".join(f"{name} is {_shown(facts.get(name))}" for name in wanted))
    return ""


def _is_elsewhere(reading: PageReading, rules: Judge, names: Names) -> bool:
    landing = [UrlPattern(pattern, names) for pattern in rules.landing]
    identity = Identity.of(names, reading.asked)
    return bool(reading.asked) and is_elsewhere(identity, reading.asked, reading.url, landing)


def _failure(reading: PageReading, rules: Judge, *, elsewhere: bool) -> str:
    """Why the facts cannot be believed; empty if they can."""
    if reading.status is not None and reading.status >= 400:
        return f"HTTP {reading.status}"
    if elsewhere:
        return f"the visit ended elsewhere: {_shown(reading.url)}"
    if not reading.ready:
        return _with_troubles("timeout: content did not appear", reading)
    said = {name for name, value in reading.facts.items() if value is not None}
    if not said - reading.defaults:
        return _with_troubles("nothing was read", reading)
    if missing := [name for name in rules.require if name not in said]:
        return _with_troubles(f"required and not said: {_unsaid(missing, reading)}", reading)
    return ""


def _with_troubles(failure: str, reading: PageReading) -> str:
    return f"{failure} ({'; '.join(reading.troubles)})" if reading.troubles else failure


def _unsaid(names: list[str], reading: PageReading) -> str:
    """The names, each with the text that stood there, if any."""
    return ", ".join(_with_found(name, reading.told.get(name, ())) for name in names) + (
        f" ({'; '.join(reading.troubles)})" if reading.troubles else ""
    )


def _with_found(name: str, told: tuple[FieldTold, ...]) -> str:
    found = next((one for one in told if one.state in ("not_understood", "cut")), None)
    if found is None and (missing := next((one.text for one in told if one.state == "not_found" and one.text), "")):
        return f"{name} ({missing})"
    return name if found is None else f'{name} ("{_shown(found.text)}" {_WORDS[found.state]})'


_WORDS = {"not_understood": "is not understood", "cut": "was cut"}


def _holds(found: FactValue, wanted: Wanted) -> bool:
    """Whether a fact is what a sign wants. Case does not count, as in all words of signs."""
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    return found is not None and any(one is not None and _same(_folded(one), _folded(found), _EXACT) for one in several)


def _folded(value: FactValue) -> FactValue:
    return value.casefold() if isinstance(value, str) else value


def _differences(expected: Facts, found: Facts, rules: Judge) -> Iterator[Difference]:
    for name, wanted in expected.items():
        said = found.get(name)
        if wanted is not None and said is not None and not _same(wanted, said, rules.comparison(name)):
            yield Difference(name, wanted, said)


_EXACT = Compare()


def _same(expected: FactValue, found: FactValue, compare: Compare) -> bool:
    if compare.words and _is_one_of(found, compare.words.get(collapse(str(expected)), ())):
        return True
    if isinstance(expected, bool) or isinstance(found, bool):
        return _boolean(expected) is not None and _boolean(expected) is _boolean(found)
    if isinstance(expected, int | float) or isinstance(found, int | float):
        wanted, said = _number(expected, whole=False), _number(found, whole=True)
        if wanted is None or said is None:
            return False
        # Decimal, because 1.3 - 1.2 is more than 0.1 in binary.
        allowed = max(Decimal(str(compare.absolute)), abs(wanted) * Decimal(str(compare.percent)) / 100)
        return abs(wanted - said) <= allowed
    one, other = collapse(str(expected)), collapse(str(found))
    if compare.ignore_query:
        one, other = (re.split(r"[?#]", text, maxsplit=1)[0] for text in (one, other))
    return one == other


def _boolean(value: FactValue) -> bool | None:
    return value if isinstance(value, bool) else read_boolean(str(value))


def _number(value: FactValue, *, whole: bool) -> Decimal | None:
    if isinstance(value, str):
        value = read_number(value, whole=whole)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return Decimal(str(value))


def _shown(value: FactValue) -> str:
    """A value as reasons show it. Numbers always have the same form, whatever their source."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = collapse(str(value))
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _bounded(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}…"
