"""Prints the findings of `pagemill try` as tables or as JSON. Reads no page and judges nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from pagemill import visible
from pagemill.cli.wording import output_console
from pagemill.model import FieldTold, Judgement, PageReading, Verdict

_SHOWN = 80
_STATES = {
    "not_found": "not found",
    "not_understood": "not understood",
    "cut": "cut",
    "default": "by else",
    "absent": "not there",
}


@dataclass(frozen=True, slots=True)
class TriedProduct:
    """One product as it was read.

    `url` is the catalogue's URL, `address` the one that was visited. Times are in milliseconds.
    """

    url: str
    address: str
    reading: PageReading
    judgement: Judgement
    signs: list[tuple[Verdict, str]]
    """Every sign that was found, whether it decided the verdict or not."""
    browser_ms: int
    read_ms: int


def as_json(tried: TriedProduct) -> str:
    """Everything as JSON, for programs."""
    reading = tried.reading
    whole: dict[str, Any] = {
        "url": tried.url,
        "address": tried.address,
        "final_url": reading.url,
        "verdict": tried.judgement.verdict.value,
        "reason": tried.judgement.reason,
        "status": reading.status,
        "ready": reading.ready,
        "facts": dict(reading.facts),
        "fields": {name: [asdict(one) for one in told] for name, told in reading.told.items()},
        "steps": [asdict(step) for step in reading.steps],
        "signs": [{"verdict": verdict.value, "reason": reason} for verdict, reason in tried.signs],
        "requests": list(reading.requests),
        "troubles": list(reading.troubles),
        "browser_ms": tried.browser_ms,
        "read_ms": tried.read_ms,
    }
    return visible.in_file(json.dumps(whole, ensure_ascii=False, indent=2))


def print_report(tried: TriedProduct) -> None:
    """Prints everything, for people."""
    console, reading = output_console(), tried.reading
    console.print(_summary(tried))
    _print_list(console, "steps before reading", [str(step) for step in reading.steps])
    if reading.facts:
        console.print(_fields(reading))
    _print_list(console, "asked for without a page", list(reading.requests))
    _print_list(console, "signs that were met", [f"{verdict.value}: {why}" for verdict, why in tried.signs])
    _print_list(console, "what single sources could not do", list(reading.troubles))


def _summary(tried: TriedProduct) -> Table:
    reading, judgement = tried.reading, tried.judgement
    table = Table(show_header=False)
    table.add_row("verdict", judgement.verdict.value + (f": {judgement.reason}" if judgement.reason else ""))
    table.add_row("status", "none" if reading.status is None else str(reading.status))
    if tried.address != tried.url:
        table.add_row("visited", tried.address)
    if reading.url not in (tried.address, reading.asked):
        table.add_row("ended at", reading.url)
    table.add_row("browser started in", f"{tried.browser_ms} ms")
    table.add_row("read in", f"{tried.read_ms} ms")
    return table


def _fields(reading: PageReading) -> Table:
    table = Table("field", "value", "from", "what else there was")
    for name, value in reading.facts.items():
        told = reading.told.get(name, ())
        counting = next((one for one in told if one.value is not None), None)
        others = [_remark(one) for one in told if one is not counting]
        if counting is not None and (also := _others(counting)):
            others.insert(0, also)
        shown = "None" if value is None else _cut(repr(value))
        table.add_row(
            name, shown, "" if counting is None else _place(counting), "\n".join(others) or ("" if told else "-")
        )
    return table


def _place(told: FieldTold) -> str:
    return f"{told.source + 1} {told.strategy}" + (" (else)" if told.state == "default" else "")


def _remark(told: FieldTold) -> str:
    """What a source said whose value does not count."""
    said = f"{told.source + 1} {told.strategy}: "
    if told.value is not None:
        said += f"{_cut(repr(told.value))}{' (else)' if told.state == 'default' else ''}"
    else:
        said += _STATES[told.state] + (f": {_cut(told.text)!r}" if told.text and told.state != "cut" else "")
        said += f", {told.text}" if told.state == "cut" else ""
    also = _others(told)
    return f"{said}; {also}" if also else said


def _others(told: FieldTold) -> str:
    """A remark for selectors that several elements with different texts match; else empty."""
    if not told.others:
        return ""
    return f"{told.places} elements fit, others say {', '.join(repr(_cut(text)) for text in told.others)}"


def _print_list(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(f"{title}:")
        for line in lines:
            console.print(f"  {line}")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
