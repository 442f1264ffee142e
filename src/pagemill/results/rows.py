"""Converts an `ItemResult` to a row of the table, and back.

Owns what a database accepts: text without NUL characters and lone surrogates (PostgreSQL refuses both, and shop pages
contain them), and JSON without NaN. Must not use a database.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pagemill.model import Difference, Facts, FactValue, ItemResult, ResultOutline, Verdict

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def storable_text(text: str) -> str:
    """The text with every NUL character and lone surrogate replaced by U+FFFD."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def storable_value(value: object) -> FactValue:
    """A fact that JSON can hold: text is cleaned; numbers that are not finite, and other types, become text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return storable_text(str(value))


def storable_facts(facts: Facts) -> dict[str, FactValue]:
    """The facts with names and values cleaned."""
    return {storable_text(name): storable_value(value) for name, value in facts.items()}


def to_row(result: ItemResult) -> dict[str, Any]:
    """The row of `schema.results` that holds this result."""
    return {
        "run": storable_text(result.run),
        "product_id": storable_text(result.product_id),
        "batch": storable_text(result.batch),
        "url": storable_text(result.url),
        "final_url": storable_text(result.final_url),
        "platform": storable_text(result.platform),
        "verdict": result.verdict.value,
        "reason": storable_text(result.reason),
        "differences": [
            {
                "field": storable_text(difference.field),
                "expected": storable_value(difference.expected),
                "found": storable_value(difference.found),
            }
            for difference in result.differences
        ],
        "facts": storable_facts(result.facts),
        "attempts": result.attempts,
        "started_at": result.started_at,
        "finished_at": result.finished_at,
        "worker": storable_text(result.worker),
        "expected": storable_facts(result.expected) if result.expected else None,
    }


def outline_of(row: Sequence[Any]) -> ResultOutline:
    """The outline in a row with the outline's columns; `differences` is text."""
    run, product_id, url, platform, verdict, reason, differences, *rest = row
    found = () if differences == "[]" else tuple(Difference(**each) for each in json.loads(differences))
    return ResultOutline(run, product_id, url, platform, _VERDICTS[verdict], reason, found, *rest)


def from_row(row: Mapping[Any, Any]) -> ItemResult:
    """The result that a row of `schema.results` holds."""
    return ItemResult(
        run=row["run"],
        batch=row["batch"],
        product_id=row["product_id"],
        url=row["url"],
        platform=row["platform"],
        verdict=Verdict(row["verdict"]),
        reason=row["reason"],
        differences=tuple(
            Difference(difference["field"], difference["expected"], difference["found"])
            for difference in row["differences"]
        ),
        facts=row["facts"],
        attempts=row["attempts"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        worker=row["worker"],
        final_url=row["final_url"],
        expected=row["expected"] or {},
    )
