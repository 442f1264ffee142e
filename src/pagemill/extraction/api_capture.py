"""Strategy `api_capture`: facts from the JSON answer that the page itself fetches while it loads.

Chromium pauses the answers whose address fits (`browser.page_news`); this says which of them is the product's. The
answer of another product never counts: one that names the product, by its address, by what the page sent, or in itself,
is taken at once; one that names none is taken when nothing better comes soon; one that names another is passed over. An
answer that refuses, such as 401 or 503, counts when the page does not ask again soon.
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
"""How long a better answer than one that would do is waited for."""
_AGAIN_S = 2.5
"""How long a page is given to ask again: in a hidden one, timers run once a second."""
_ASKED_AGAIN = frozenset({401, 403, 407, 408, 409, 412, 425, 428, 429})
"""Statuses, besides those from 500, after which a page may ask again: with a token, or a moment later."""
_SEVERAL = "several answers that name no product: write {id} into match"


class CaptureSource:
    """Reads the fields of one source from the answer of the product's own."""

    def __init__(self, source: Source, position: int) -> None:
        self._source = source
        self._position = position
        self._pattern = UrlPattern(source.match or "")
        self.within_s = (source.within_ms or DEFAULT_WITHIN_MS) / 1000

    def listen(self, visit: Visit, identity: Identity) -> Listening:
        """Begins to look for the answer of one visit. It is whole when it has what the product expects, or every field
        where nothing is expected."""
        fields, expected = self._source.fields, visit.product.expected
        needed = {name: rules for name, rules in fields.items() if expected.get(name) is not None} or fields
        rules = [rules[0] for rules in needed.values()]
        every = [rules[0] for rules in fields.values()]
        return Listening(self._pattern.filled(visit.names), identity, rules, every, bool(self._pattern.names), self)

    def tell(
        self, chosen: ChosenAnswer | None, told: SourcesTold, error_paths: tuple[str, ...], passed: list[str]
    ) -> None:
        """What each path of the answer leads to; why, where there is none."""
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
    """The answer that counts: its JSON, and its status where that is one of an error."""

    document: Any
    status: int
    url: str
    posted: str = ""


class _Only:
    """The one answer among those that name no product; none where several addresses have given one.

    It keeps no other: a page can have any number of them.
    """

    def __init__(self) -> None:
        self.chosen: ChosenAnswer | None = None
        self.are_several = False
        self._count = 0

    @property
    def is_any(self) -> bool:
        """Whether there has been one at all."""
        return self.are_several or self.chosen is not None

    def add(self, chosen: ChosenAnswer, count: int) -> None:
        """Takes one in, of which so many paths lead somewhere."""
        before = self.chosen
        if self.are_several:
            return
        if before is not None and (before.url, before.posted) != (chosen.url, chosen.posted):
            self.chosen, self.are_several = None, True
        elif before is None or count > self._count:
            self.chosen, self._count = chosen, count


class Listening:
    """The choice among the answers of one visit."""

    def __init__(
        self,
        pattern: UrlPattern,
        identity: Identity,
        rules: list[FieldRule],
        every: list[FieldRule],
        is_named: bool,
        source: CaptureSource,
    ) -> None:
        """`rules` are those that a whole answer answers, `every` all of the source's."""
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
        """Waits for the answer that has everything; without end if there is none."""
        while True:
            if news.answers is not self._answers:  # they belonged to the document before
                self._answers, self._read, self._best = news.answers, 0, None
                self._refused = None
                self._forget_open()
            self._dropped = news.dropped
            if self._read < len(self._answers):
                self._read += 1
                chosen = self._judged(self._answers[self._read - 1])
                if chosen is not None:
                    return chosen
                await asyncio.sleep(0)  # many large ones take seconds: the other lanes go on in between
                continue
            try:
                async with asyncio.timeout(self._grace_s()):
                    await news.wait()
            except TimeoutError:
                if (chosen := self.rest()) is not None:
                    return chosen

    def _forget_open(self) -> None:
        """Begins without any answer that names no product."""
        self._saying, self._silent = _Only(), _Only()
        self._would_do: set[int] = set()
        """Statuses of those that have everything."""

    def _grace_s(self) -> float | None:
        """How long a better answer is waited for, once there is one that has everything and names no product, or that
        refuses it."""
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
        """The answer, if nothing better can come."""
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
                return chosen  # nothing could tell a better one
            (self._saying if count else self._silent).add(chosen, count)
        return None

    def told_passed(self) -> list[str]:
        """What did not count, for people."""
        more = [f"{self._dropped} more answers that were not heard: make match narrower"] if self._dropped else []
        return [*more, *self.passed]

    def _is_whole(self, chosen: ChosenAnswer) -> bool:
        return chosen.status >= 400 or answered_paths(chosen.document, self._rules) == len(self._rules)

    def _belongs(self, answer: Heard) -> bool | None:
        """Whether it is the product's; `None` if nothing tells."""
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
