"""From a reading to a verdict. Pure: the product, the reading and the platform's rules in, the judgement out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from pagemill.config.platform import Judge, PageSigns
from pagemill.extraction.number_text import read_number
from pagemill.extraction.values import collapse, read_boolean
from pagemill.model import Difference, Facts, FactValue, Judgement, PageReading, Product, Verdict

_MAX_SHOWN = 80
"""Characters of one value in a reason; the differences hold it in full."""
_MAX_REASON = 400


def judge(product: Product, reading: PageReading, rules: Judge) -> Judgement:
    """The verdict on one product; the first that fits, in this order.

    1. `gone`, then `blocked`: the document's status or a text of the page is one of the rules'.
    2. `failed`: any other status from 400, or content that did not appear.
    3. `sold_out`: every condition of `rules.sold_out` holds; one on a fact that the page did not say does not hold.
    4. `failed`: the page did not say a field that the product expects.
    5. `changed`: an expected field differs by more than its tolerance.
    6. `ok`.

    Only fields that the product expects (not `None`) and that the platform reads are compared. Numbers compare as
    numbers, also where the catalogue has text such as `12,900원`; the tolerance is absolute. Booleans compare with
    texts such as `true`. Text compares exactly, but for white space.
    """
    for verdict, signs in ((Verdict.GONE, rules.gone), (Verdict.BLOCKED, rules.blocked)):
        reason = _sign(reading, signs)
        if reason:
            return Judgement(verdict, reason)
    if reading.status is not None and reading.status >= 400:
        return Judgement(Verdict.FAILED, f"HTTP {reading.status}")
    if not reading.ready:
        return Judgement(Verdict.FAILED, "timeout: content did not appear")
    differences = tuple(_differences(product.expected, reading.facts, rules.tolerance))
    if rules.sold_out and all(_holds(reading.facts.get(name), wanted) for name, wanted in rules.sold_out.items()):
        reason = ", ".join(f"{name} is {_shown(wanted)}" for name, wanted in rules.sold_out.items())
        return Judgement(Verdict.SOLD_OUT, _bounded(reason), differences)
    unsaid = [
        name
        for name, expected in product.expected.items()
        if expected is not None and name in reading.facts and reading.facts[name] is None
    ]
    if unsaid:
        return Judgement(Verdict.FAILED, _bounded(f"the page does not say {', '.join(unsaid)}"))
    if differences:
        reason = ", ".join(f"{d.field}: {_shown(d.expected)} -> {_shown(d.found)}" for d in differences)
        return Judgement(Verdict.CHANGED, _bounded(reason), differences)
    return Judgement(Verdict.OK)


def _sign(reading: PageReading, signs: PageSigns) -> str:
    if reading.status is not None and reading.status in signs.status:
        return f"HTTP {reading.status}"
    text = next((text for text in signs.text if text in reading.texts), None)
    return "" if text is None else _bounded(f'the page says "{_shown(text)}"')


def _holds(found: FactValue, wanted: FactValue) -> bool:
    return found is not None and wanted is not None and _same(wanted, found, 0)


def _differences(expected: Facts, found: Facts, tolerance: Mapping[str, float]) -> Iterator[Difference]:
    for name, wanted in expected.items():
        said = found.get(name)
        if wanted is not None and said is not None and not _same(wanted, said, tolerance.get(name, 0)):
            yield Difference(name, wanted, said)


def _same(expected: FactValue, found: FactValue, tolerance: float) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool):
        return _boolean(expected) is not None and _boolean(expected) is _boolean(found)
    if isinstance(expected, int | float) or isinstance(found, int | float):
        wanted, said = _number(expected, whole=False), _number(found, whole=True)
        # Decimal, because 1.3 - 1.2 is more than 0.1 in binary.
        return wanted is not None and said is not None and abs(wanted - said) <= Decimal(str(tolerance))
    return collapse(str(expected)) == collapse(str(found))


def _boolean(value: FactValue) -> bool | None:
    return value if isinstance(value, bool) else read_boolean(str(value))


def _number(value: FactValue, *, whole: bool) -> Decimal | None:
    if isinstance(value, str):
        value = read_number(value, whole=whole)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return Decimal(str(value))


def _shown(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = collapse(str(value))
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _bounded(reason: str) -> str:
    return reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}…"
