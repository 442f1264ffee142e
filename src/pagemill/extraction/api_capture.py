"""Strategy `api_capture`: facts from the JSON answer that the page itself fetches while it loads.

Chromium pauses the answers whose address fits (`browser.page_news`). This module decides which one is the product's. An
answer that names the product (in its address, its request or its body) counts as soon as it is whole. An answer that
names no product counts if no better one comes soon; one that names another product never does. An error status that may
be temporary, such as 401 or 503, counts only if the page does not ask again soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.source import Source
from pagemill.config.reading.url_pattern import UrlPattern
from pagemill.errors import TooManyValues
from pagemill.extraction.identity import Identity
from pagemill.extraction.json_path import answered_paths, parse_answer
from pagemill.extraction.own_part import own_part
from pagemill.extraction.page_news_port import Heard, News
from pagemill.extraction.source_told import SourcesTold, errors_in, told_by_json, told_nothing
from pagemill.extraction.visit import Visit

DEFAULT_WITHIN_MS = 5_000
_MAX_TOLD = 5
_GRACE_S = 1.0
"""How long to wait for a better answer when one is already good enough."""
_AGAIN_S = 2.5
"""How long a page gets to ask again. The timers of a hidden page run only once a second."""
_ASKED_AGAIN = frozenset({401, 403, 407, 408, 409, 412, 425, 428, 429})
"""Statuses after which a page may ask again, with a token or a moment later. So it may after any status from 500."""
_SEVERAL = "several answers that name no product: write {id} into match"


class CaptureSource:
    """Reads the fields of one source from the product's own answer."""

    def __init__(self, source: Source, position: int) -> None:
        self._source = source
        self._position = position
        self._pattern = UrlPattern(source.match or "")
        self.within_s = (source.within_ms or DEFAULT_WITHIN_MS) / 1000

    def listen(self, visit: Visit, identity: Identity) -> Listening:
        """Starts to choose the answer for one visit. A whole answer has every field that the product expects; if it
        expects none, every field of the source."""
        fields, expected = self._source.fields, visit.product.expected
        needed = {name: rules for name, rules in fields.items() if expected.get(name) is not None} or fields
        rules = [rules[0] for rules in needed.values()]
        every = [rules[0] for rules in fields.values()]
        return Listening(self._pattern.filled(visit.names), identity, rules, every, bool(self._pattern.names), self)

    def tell(
        self, chosen: ChosenAnswer | None, told: SourcesTold, error_paths: tuple[str, ...], passed: list[str]
    ) -> None:
        """Adds what each path of the answer leads to, or why there is no answer."""
        if chosen is None:
            seen = f"; others were {', '.join(passed[:_MAX_TOLD])}" if passed else ""
            told.troubles.append(f"api_capture: no answer of this product's within {self.within_s:g} s{seen}"[:500])
            told.add(told_nothing(self._source.fields, self._position, "api_capture"))
            return
        told.errors += errors_in(chosen.document, error_paths)
        if chosen.status >= 400:
            told.add(told_nothing(self._source.fields, self._position, "api_capture"))
            return
        told.add(told_by_json(chosen.document, self._source.fields, self._position, "api_capture"))


@dataclass(frozen=True, slots=True)
class ChosenAnswer:
    """The answer that counts, with what the page posted to get it."""

    document: Any
    status: int
    url: str
    posted: str = ""


class _Only:
    """The one answer that names no product; none if several requests got one. It keeps no others: a page can have any
    number."""

    def __init__(self) -> None:
        self.chosen: ChosenAnswer | None = None
        self.are_several = False
        self._count = 0

    @property
    def is_any(self) -> bool:
        """Whether any answer was added."""
        return self.are_several or self.chosen is not None

    def add(self, chosen: ChosenAnswer, count: int) -> None:
        """Adds an answer in which `count` paths lead somewhere. Of one request's answers, the fullest is kept."""
        before = self.chosen
        if self.are_several:
            return
        if before is not None and (before.url, before.posted) != (chosen.url, chosen.posted):
            self.chosen, self.are_several = None, True
        elif before is None or count > self._count:
            self.chosen, self._count = chosen, count


class Listening:
    """Chooses among the answers of one visit."""

    def __init__(
        self,
        pattern: UrlPattern,
        identity: Identity,
        rules: list[FieldRule],
        every: list[FieldRule],
        is_named: bool,
        source: CaptureSource,
    ) -> None:
        """`rules` must all be met by a whole answer; `every` are all rules of the source."""
        self._pattern = pattern
        self._every = every
        self._identity = identity
        self._rules = rules
        self._is_named = is_named
        self.source = source
        self._answers: Sequence[Heard] = ()
        self._read = 0
        self._best: tuple[int, ChosenAnswer] | None = None
        self._refused: ChosenAnswer | None = None
        self._dropped = 0
        self._forget_open()
        self.passed: list[str] = []
        """Answers that did not count, each with why."""

    async def first(self, news: News) -> ChosenAnswer:
        """Waits for the answer that counts, without end if none comes."""
        while True:
            if news.answers is not self._answers:  # the page moved to another document
                self._answers, self._read, self._best = news.answers, 0, None
                self._refused = None
                self._forget_open()
            self._dropped = news.dropped
            if self._read < len(self._answers):
                self._read += 1
                chosen = self._judged(self._answers[self._read - 1])
                if chosen is not None:
                    return chosen
                await asyncio.sleep(0)  # parsing many large answers takes seconds: other lanes run meanwhile
                continue
            try:
                async with asyncio.timeout(self._grace_s()):
                    await news.wait()
            except TimeoutError:
                if (chosen := self.rest()) is not None:
                    return chosen

    def _forget_open(self) -> None:
        """Forgets the answers that name no product."""
        self._saying, self._silent = _Only(), _Only()
        self._would_do: set[int] = set()
        """Statuses of the answers that are whole."""

    def _grace_s(self) -> float | None:
        """How long to wait for a better answer. `None` is without limit: no answer would do yet, or the product's own
        is still incomplete."""
        if self._best is not None or not (self._would_do or self._refused):
            return None
        return _GRACE_S if any(status < 400 for status in self._would_do) else _AGAIN_S

    def rest(self) -> ChosenAnswer | None:
        """The answer that counts when no better one comes any more."""
        if self._best is not None:
            return self._best[1]
        if self._refused is not None:
            return self._refused
        open_ones = self._saying if self._saying.is_any else self._silent
        if open_ones.are_several and _SEVERAL not in self.passed:
            self.passed.append(_SEVERAL)
        return open_ones.chosen

    def _judged(self, answer: Heard) -> ChosenAnswer | None:
        """The answer, if no better one can come; otherwise notes it and returns `None`."""
        if not self._pattern.fits(answer.url):
            return None
        if answer.body is None:
            self.passed.append(f"{_short(answer.url)} ({answer.problem})")
            return None
        try:
            document, problem = parse_answer(answer.body), "no JSON"
        except ValueError as error:
            document, problem = None, str(error) if isinstance(error, TooManyValues) else "no JSON"
        if document is None and answer.status < 400:
            self.passed.append(f"{_short(answer.url)} ({problem})")
            return None
        belongs = self._belongs(answer)
        if belongs is False:
            self.passed.append(f"{_short(answer.url)} (of another product)")
            return None
        document = own_part(document, self._identity)
        chosen = ChosenAnswer(document, answer.status, answer.url, answer.posted)
        count = answered_paths(document, self._every)
        if belongs:
            if _may_be_asked_again(chosen.status):
                self._refused = chosen
                return None
            if self._is_whole(chosen):
                return chosen
            if self._best is None or count > self._best[0]:
                self._best = count, chosen
        elif count or answer.status >= 400:
            is_last = not self._identity.token and not _may_be_asked_again(chosen.status)
            if is_whole := self._is_whole(chosen):
                self._would_do.add(chosen.status)
            if is_last and is_whole:
                return chosen  # nothing could show that a later answer is better
            (self._saying if count else self._silent).add(chosen, count)
        return None

    def told_passed(self) -> list[str]:
        """Which answers did not count and why, in words for people."""
        more = [f"{self._dropped} more answers that were not heard: make match narrower"] if self._dropped else []
        return [*more, *self.passed]

    def _is_whole(self, chosen: ChosenAnswer) -> bool:
        return chosen.status >= 400 or answered_paths(chosen.document, self._rules) == len(self._rules)

    def _belongs(self, answer: Heard) -> bool | None:
        """Whether the answer is the product's; `None` if nothing tells."""
        if not self._identity.token:
            return True if self._is_named else None
        assert answer.body is not None
        text = answer.body.decode("utf-8", "replace")
        if self._identity.is_left_out_by(text, f"{answer.url} {answer.posted}"):
            return False
        if self._is_named:
            return True
        if self._identity.is_in(answer.url) or self._identity.is_in(answer.posted):
            return True
        if self._identity.is_other_than(self._pattern.free_parts(answer.url)):
            return False
        if self._identity.is_passed_over_by(answer.posted):
            return False
        if self._identity.is_said_by(text):
            return True
        return False if self._identity.is_contradicted_by(text) else None


def _may_be_asked_again(status: int) -> bool:
    return status >= 500 or status in _ASKED_AGAIN


def _short(url: str) -> str:
    return url if len(url) <= 120 else f"{url[:119]}…"
