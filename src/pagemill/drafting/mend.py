"""Mends a platform file that no longer fits its shop, with the least change that makes it right.

It tries changes in this order: none, more signs, other sources, both. Pages are gathered and places chosen as for a
draft, but only the file's own fields are looked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import yaml

from pagemill.config.platform import Platform
from pagemill.config.reading.crosschecks import judge_mistakes
from pagemill.config.reading.extract import Extract
from pagemill.config.reading.judge import Judge
from pagemill.drafting.beliefs import agrees
from pagemill.drafting.choose import Draft
from pagemill.drafting.field_choice import FieldChoice
from pagemill.drafting.file_edit import SignTexts, in_one_line, section_lines, with_section, with_signs, without_sign
from pagemill.drafting.gather import GatheredPage
from pagemill.drafting.known_facts import DRAFTED
from pagemill.drafting.trial import TriedPage
from pagemill.model import FactValue, Verdict

TryPage = Callable[[Platform, GatheredPage], Awaitable[TriedPage]]
"""Tries a platform on an open page."""
Redraft = Callable[[], Awaitable[Draft]]
"""Drafts the platform anew from the open pages."""

_ENOUGH = 2
"""After so many pages whose facts are not read, the present sources are not tried any further."""


@dataclass(frozen=True, slots=True)
class Mended:
    """The result of mending. `text` is the right file; it is unchanged if no change is needed."""

    before: str
    text: str
    tried: tuple[TriedPage, ...]
    choices: tuple[FieldChoice, ...] = ()
    left: tuple[str, ...] = ()
    """Fields that a draft cannot look for; their rules are unchanged."""

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """What is not good enough, in words."""
        found = [choice.told for choice in self.choices if choice.is_too_unsure]
        found += [f"{page.page.evidence.url}: {told}" for page in self.tried for told in mistakes(page)]
        return tuple(found)

    def patch(self, file: str) -> str:
        """The difference in the form of `patch -p1`, for a file at `file`; empty if there is none."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.text.splitlines(keepends=True), f"a/{file}", f"b/{file}"
        )
        return "".join(lines)


async def mend_platform(
    text: str, platform: Platform, pages: Sequence[GatheredPage], trial: TryPage, redraft: Redraft
) -> Mended:
    """The file that is right on the pages, with as little change as possible.

    Args:
        text: the present file.
        platform: the platform of that file.
        pages: open pages, those that sell first.
        trial: tries a platform on one page.
        redraft: drafts the platform anew.
    """
    tried = await _try_all(platform, pages, trial, enough=_ENOUGH)
    if not any(mistakes(page) for page in tried):
        return Mended(text, text, tuple(tried))
    draft = await redraft()
    left = tuple(name for name in platform.extract.fields if name not in DRAFTED)
    fields = platform.extract.fields.keys()
    choices = tuple(
        one for one in draft.choices if one.name in fields or (one.name == "status" and "in_stock" in fields)
    )
    drafted = [*section_lines(draft.text, "extract"), *_as_they_were(text, left)]
    extract = _without_what_never_holds(with_section(text, "extract", drafted))
    best: Mended | None = None
    for base in [extract] if any(_is_misread(page) for page in tried) else [text, extract]:
        if base != text:
            tried = await _try_all(_platform(base), pages, trial)
        for changed in (base, with_signs(base, _signs(draft, tried, fields))):
            if changed == text or (best is not None and changed == best.text):
                continue
            if changed != base:
                tried = await _try_all(_platform(changed), pages, trial)
            found = Mended(text, changed, tuple(tried), choices if base != text else (), left if base != text else ())
            if best is None or _wrong(found) < _wrong(best):
                best = found
            if not _wrong(found):
                return found
    return best or Mended(text, text, tuple(tried), choices, left)


def mistakes(page: TriedPage) -> tuple[str, ...]:
    """What is wrong with a page, in words: its verdict, and each known field that is not read."""
    found = []
    if not page.is_right:
        reason = f" ({page.judgement.reason})" if page.judgement.reason else ""
        found.append(f"{page.judgement.verdict.value}, and should be {page.right.value}{reason}")
    if page.reading is not None and page.right is not Verdict.GONE:
        facts = page.reading.facts
        found += [f"{name} is not read" for name in page.page.evidence.expected if facts.get(name) is None]
    return tuple(found)


async def _try_all(
    platform: Platform, pages: Sequence[GatheredPage], trial: TryPage, enough: int | None = None
) -> list[TriedPage]:
    tried: list[TriedPage] = []
    for page in pages:
        tried.append(await trial(platform, page))
        if enough is not None and sum(map(_is_misread, tried)) >= enough:
            break
    return tried


def _is_misread(page: TriedPage) -> bool:
    """Whether facts are missing or wrong, so that signs would not help."""
    if page.right is Verdict.GONE:
        return False
    if page.reading is None or page.judgement.verdict in (Verdict.CHANGED, Verdict.FAILED):
        return True
    facts, expected = page.reading.facts, page.page.evidence.expected
    return any(facts.get(name) is None or not _alike(facts[name], value) for name, value in expected.items())


def _alike(value: FactValue, expected: FactValue) -> bool:
    if isinstance(value, str) and isinstance(expected, str):
        return value.partition("?")[0] == expected.partition("?")[0] or agrees(value, expected)
    return agrees(value, expected)


def _wrong(mended: Mended) -> int:
    return sum(len(mistakes(page)) for page in mended.tried)


def _signs(draft: Draft, tried: Sequence[TriedPage], fields: Set[str]) -> SignTexts:
    """The drafted signs of the verdicts that the present file misses, if they use its facts."""
    missed = {page.right.value for page in tried if not page.is_right and page.right is not Verdict.OK}
    drafted: Mapping[str, Any] = yaml.safe_load(draft.text).get("judge", {})
    found: dict[str, dict[str, list[Any]]] = {}
    for verdict in ("gone", "off_sale", "sold_out"):
        signs = drafted.get(verdict) if verdict in missed else None
        for kind, value in (signs or {}).items():
            if kind != "facts" or value.keys() <= fields:
                found.setdefault(verdict, {})[kind] = value if isinstance(value, list) else [value]
    return found


def _as_they_were(text: str, fields: Sequence[str]) -> list[str]:
    """The sources of the present file, reduced to those fields."""
    if not fields:
        return []
    extract = yaml.safe_load(text)["extract"]
    lines = [f"    # as before: {', '.join(fields)} cannot be looked for"]
    for source in extract.get("sources", [extract]):
        kept = {name: rule for name, rule in source.get("fields", {}).items() if name in fields}
        if kept:
            whole = {key: value for key, value in source.items() if key not in ("fields", "ready")}
            lines.append(f"    - {in_one_line({**whole, 'fields': kept})}")
    return lines


def _without_what_never_holds(text: str) -> str:
    """The file without signs by facts that its sources can no longer say."""
    data = yaml.safe_load(text)
    extract, judge = Extract.model_validate(data["extract"]), Judge.model_validate(data.get("judge") or {})
    for mistake in judge_mistakes(judge, extract, frozenset()):
        if mistake.path[1:2] == ("facts",):
            text = without_sign(text, str(mistake.path[0]), "facts")
    return text


def _platform(text: str) -> Platform:
    return Platform.model_validate(yaml.safe_load(text))
