"""Strategy `dom`: facts from elements, by CSS selector. `page_reader` waits and reads, `values` interprets the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.source import Source
from pagemill.errors import PatternTooSlow
from pagemill.extraction.page_spec import PagePlace, Search
from pagemill.extraction.sighting import RawTexts, Sighting
from pagemill.extraction.source_told import ToldField
from pagemill.extraction.values import collapse, to_fact, too_long
from pagemill.extraction.watch_plan import WatchPlan
from pagemill.model import FactValue, FieldTold

_SHOWN = 200
_FRAME_TROUBLES = {
    1: "there is no such frame",
    2: "it is of another origin",
    3: "it has not loaded",
    4: "its document is not of one of the hosts",
    5: "it is in a process of its own (browser.extra_args: --disable-site-isolation-trials)",
}
"""Why a frame could not be read. The numbers are those of `shadow_script` and `frames`."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One rule, the position of its place, and the positions of the words to look for there, line by line."""

    field: str
    rule: FieldRule
    place: int
    words: tuple[tuple[int, ...], ...] = ()


class DomSource:
    """Reads the fields of one source from the document."""

    def __init__(self, source: Source, position: int, plan: WatchPlan) -> None:
        self._position = position
        self._frame = source.frame or ""
        self._readings = tuple(_register(source, plan))

    def tell(self, seen: Sighting) -> Iterator[ToldField]:
        """Yields what each rule has found.

        Raises:
            PatternTooSlow: a field's `regex` took longer than it may.
        """
        for reading in self._readings:
            try:
                told = self._text_told(reading, seen) if reading.words else self._told(reading, seen)
            except PatternTooSlow as error:
                raise error.of_field(reading.field) from error
            yield reading.field, told

    def depends_on_sight(self, seen: Sighting) -> bool:
        """Whether the facts could differ if other parts of the document were visible."""
        return any(self._depends(reading, seen) for reading in self._readings)

    def _depends(self, reading: _Reading, seen: Sighting) -> bool:
        rule, raw = reading.rule, seen.raw[reading.place]
        if reading.words:
            return any(position in seen.searched for positions in reading.words for position in positions)
        if not rule.visible:
            return False
        if isinstance(raw, bool):
            return raw
        values = {to_fact(text, rule) for text, _seen in raw or () if text} if not isinstance(raw, str) else set()
        return len(values - {None}) > 1

    def _told(self, reading: _Reading, seen: Sighting) -> FieldTold:
        rule, raw = reading.rule, seen.raw[reading.place]
        if lost := self._out_of_reach(reading, seen):
            return lost
        beyond = seen.cut.get(("elements", reading.place), 0)
        if isinstance(raw, bool):
            if beyond and not raw:
                return self._as(rule, None, "cut", seen, reading.place, f"there are {beyond} elements")
            return self._as(rule, raw, "said" if raw else "absent", seen, reading.place)
        value, text, is_seen = _first_valid(raw, rule)
        length = seen.cut.get(("place", reading.place), 0)
        if beyond and not is_seen:
            return self._as(rule, None, "cut", seen, reading.place, f"there are {beyond} elements")
        if value is None:
            length = length or too_long(text, rule)
        if value is not None and not (length and rule.regex is None):
            return self._as(rule, value, "said", seen, reading.place)
        if rule.otherwise is not None:
            return self._as(rule, rule.otherwise, "default", seen, reading.place, text)
        if length:
            shown = f"it is {length} characters long"
            return self._as(rule, None, "cut", seen, reading.place, shown)
        return self._as(rule, None, "not_understood" if text else "not_found", seen, reading.place, text)

    def _out_of_reach(self, reading: _Reading, seen: Sighting) -> FieldTold | None:
        """What to tell if nothing was found and part of the page could not be read; `None` otherwise. The missing
        content may be in that part, so neither `exists` nor `else` may decide."""
        raw = seen.raw[reading.place]
        if raw is True or (isinstance(raw, str) and raw) or (isinstance(raw, tuple) and any(text for text, _ in raw)):
            return None
        if trouble := seen.cut.get(("frame", reading.place), 0):
            why = _FRAME_TROUBLES.get(trouble, "it is out of reach")
            return self._as(reading.rule, None, "not_found", seen, reading.place, f"frame {self._frame}: {why}")
        if roots := seen.cut.get(("roots", reading.place), 0):
            text = f"there are more than {roots} shadow roots"
            return self._as(reading.rule, None, "cut", seen, reading.place, text)
        return None

    def _text_told(self, reading: _Reading, seen: Sighting) -> FieldTold:
        rule = reading.rule
        for line, positions in zip(rule.words, reading.words, strict=True):
            for word, position in zip(line.words, positions, strict=True):
                if word != "*" and position in seen.searched:
                    return self._as(rule, line.value, "said", seen, reading.place, word)
        if lost := self._out_of_reach(reading, seen):
            return lost
        rest = next((line.value for line in rule.words if "*" in line.words), rule.otherwise)
        if rest is not None and seen.raw[reading.place]:
            return self._as(rule, rest, "default", seen, reading.place)
        return self._as(rule, None, "not_found", seen, reading.place)

    def _as(
        self,
        rule: FieldRule,
        value: FactValue,
        state: Literal["said", "default", "absent", "not_found", "not_understood", "cut"],
        seen: Sighting,
        place: int,
        text: str = "",
    ) -> FieldTold:
        places, others = seen.fitted[place] if seen.fitted else (0, ())
        shown = collapse(text)[:_SHOWN]
        return FieldTold(self._position, "dom", value, state, shown, places, tuple(map(collapse, others)))


def page_place_of(rule: FieldRule, frame: str = "") -> PagePlace:
    """Where the script reads for a rule: in the page's document, or in that of a named frame."""
    return PagePlace(
        selectors=rule.selector or (rule.text_of or "",),
        attribute=rule.attribute,
        split=rule.type == "number",
        visible=rule.visible,
        exists=rule.is_presence or rule.text_of is not None,
        unsure=rule.is_presence or rule.text_of is not None or rule.otherwise is not None,
        frame=frame,
    )


def _register(source: Source, plan: WatchPlan) -> Iterator[_Reading]:
    frame = source.frame or ""
    for name, rules in source.fields.items():
        for rule in rules:
            place = plan.place(name, page_place_of(rule, frame))
            words: tuple[tuple[int, ...], ...] = ()
            if rule.text_of is not None:
                within = rule.text_of
                lines = (line.words for line in rule.words)
                words = tuple(tuple(plan.search(Search(word, within, frame=frame)) for word in line) for line in lines)
            yield _Reading(name, rule, place, words)


def _first_valid(raw: RawTexts, rule: FieldRule) -> tuple[FactValue, str, bool]:
    """The first text that the rule can read, visible texts first; else the first that is not blank. The last value says
    whether the text is both visible and understood."""
    if isinstance(raw, str):
        value = to_fact(raw, rule)
        return value, raw, value is not None
    pairs = raw if isinstance(raw, tuple) else ()
    seen = [text for text, is_seen in pairs if is_seen and text]
    texts = seen + [text for text, is_seen in pairs if not is_seen and text]
    for position, text in enumerate(texts):
        if (value := to_fact(text, rule)) is not None:
            return value, text, position < len(seen)
    return None, next((text for text in texts if collapse(text)), ""), False
