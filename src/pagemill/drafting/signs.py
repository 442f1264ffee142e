"""Finds signs that a product is gone, sold out or off sale: things that only such pages have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pagemill.drafting.evidence import PageRole, SeenElement
from pagemill.drafting.page_view import DocumentKey, PageView
from pagemill.drafting.vocabulary import NOTHING_HERE, words_of_key
from pagemill.extraction.availability import read_availability
from pagemill.extraction.identity import ID_KEY
from pagemill.extraction.json_path import find_value
from pagemill.extraction.own_part import Path
from pagemill.extraction.values import collapse
from pagemill.model import FactValue

_ROOT_URL = "re:^https?://[^/]+/$"
_USUAL_GONE = frozenset({404, 410})
_ERROR_KEYS = frozenset({"error", "code", "errors", "result", "message", "reason", "exception", "errorcode"})
_KEY = re.compile(r"[A-Za-z_]\w*")
_CODE = re.compile(r"[A-Za-z0-9_.:-]{3,60}")
_MAX_SENTENCE = 80
_NO_PRODUCT = "no product"
_DEEPEST = 4
_TOP = ("h1", "h2", "h3", "p", "strong", "div", "span", "b", "em", "section", "td")


@dataclass(frozen=True, slots=True)
class FoundSign:
    """One sign of a verdict: its key in `judge`, its value, why it was chosen, and whether it is only a guess."""

    kind: str
    value: Any
    why: str
    guess: bool = False


def signs_of(role: PageRole, views: Sequence[PageView]) -> tuple[FoundSign, ...]:
    """What every page of that role has and no other page has, the surest first.

    A page without a sign of its own does not prevent signs of the others; `untold` lists such pages.
    """
    pages = [view for view in views if view.evidence.role is role]
    others = [view for view in views if view.evidence.role is not role]
    found: dict[tuple[str, str], FoundSign] = {}
    for page in pages:
        for sign in _enough(_signs(role, page, others)):
            found.setdefault((sign.kind, repr(sign.value)), sign)
    return tuple(found.values())


def untold(role: PageRole, views: Sequence[PageView]) -> tuple[str, ...]:
    """The addresses of pages of that role that nothing distinguishes from the others."""
    others = [view for view in views if view.evidence.role is not role]
    return tuple(
        view.evidence.url
        for view in views
        if view.evidence.role is role and not any(True for _ in _signs(role, view, others))
    )


def _enough(signs: Iterator[FoundSign]) -> Iterator[FoundSign]:
    """All signs for programs. A text, which is for people, only if there are no others."""
    told = False
    for sign in signs:
        if sign.kind == "text" and told:
            return
        told = True
        yield sign


def _signs(role: PageRole, page: PageView, others: Sequence[PageView]) -> Iterator[FoundSign]:
    evidence = page.evidence
    if role is PageRole.GONE and evidence.status in _USUAL_GONE:
        yield FoundSign("status", evidence.status, "the page's own status")
    elif evidence.status and evidence.status >= 400 and all(one.evidence.status != evidence.status for one in others):
        yield FoundSign("status", evidence.status, "the page's own status, which no other page has")
    for dialog in evidence.dialogs:
        if all(dialog not in one.evidence.dialogs for one in others):
            yield FoundSign("dialog", collapse(dialog), "the page says it in a dialog")
    if (place := _led_to(page)) and all(place != _led_to(one) for one in others):
        yield FoundSign("url", place, "the page leads there")
    if role is PageRole.GONE:
        yield from _errors(page, others)
    yield from _sentences(role, page, others)


def _led_to(page: PageView) -> str:
    """The path where the visit ended, as a sign, unless it names the product."""
    asked, final = urlsplit(page.evidence.url), urlsplit(page.evidence.final_url)
    if asked.path == final.path or (page.identity.token and page.identity.names(page.evidence.final_url)):
        return ""
    if final.path in ("", "/"):
        return _ROOT_URL
    return final.path


def _errors(page: PageView, others: Sequence[PageView]) -> Iterator[FoundSign]:
    """Codes in the shop's answers that no product's page has. Without a code, a product that is null."""
    for source, document in page.documents.items():
        beside = [one.documents[source] for one in others if source in one.documents]
        if not beside:
            continue
        coded = False
        for path, value in _scalars(document):
            key = next((one for one in reversed(path) if isinstance(one, str)), "")
            text = ".".join(str(one) for one in path)
            if not all(isinstance(one, str) and _KEY.fullmatch(one) for one in path):
                continue
            if not _ERROR_KEYS & set(words_of_key(key)) and any(_text_at(one, text) for one in beside):
                continue  # a code that is elsewhere null under the same key
            is_code = isinstance(value, str) and _CODE.fullmatch(value) and re.search(r"\d|_", value)
            if is_code and not page.identity.is_in(str(value)) and all(_text_at(one, text) != value for one in beside):
                yield FoundSign("error", {"path": text, "words": [value]}, f"a code in {_name(source)}")
                coded = True
        if coded:
            continue
        for path in _nulls(document):
            if len(path) > 1 and all(isinstance(_at(one, path), dict) for one in beside):
                sign = {"path": _no_product(path, source, others), "words": [_NO_PRODUCT]}
                yield FoundSign("error", sign, f"no product in {_name(source)}, and no error either")
                break


def _no_product(path: tuple[str, ...], source: DocumentKey, others: Sequence[PageView]) -> str:
    """A path that shows that an answer has nothing in the product's place. An answer that reports an error does not
    count, because it does not say that the product is gone."""
    for view in others:
        deeper = _own_object(_at(view.documents.get(source), path), view)
        if deeper is not None:
            path = (*path, *deeper)
            break
    around = [".".join(path[:depth]) for depth in range(1, len(path))]
    errors = ["errors", "error", *(f"{one}.{key}" for one in around for key in ("errors", "error"))]
    return f"!({' || '.join(errors)}) && {path[0]} && !({'.'.join(path)}) && '{_NO_PRODUCT}'"


def _own_object(value: Any, view: PageView) -> tuple[str, ...] | None:
    """The keys to the nearest object that has the product's id; `None` without one."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while waiting:
        path, inner = waiting.pop(0)
        if not isinstance(inner, dict):
            continue
        ids = {str(one).casefold() for key, one in inner.items() if ID_KEY.fullmatch(key)}
        if view.identity.token and view.identity.token.casefold() in ids:
            return path
        if len(path) < _DEEPEST:
            waiting += [((*path, key), one) for key, one in inner.items() if _KEY.fullmatch(key)]
    return None


def _sentences(role: PageRole, page: PageView, others: Sequence[PageView]) -> Iterator[FoundSign]:
    """Sentences that a visitor sees on this page only. A sentence whose meaning is known is no guess."""
    elsewhere = [_plain(one.evidence.text) for one in others]
    elsewhere += [_plain(text) for one in others for text in one.evidence.passing]
    known: list[str] = []
    unknown: list[str] = []
    for element in page.evidence.elements:
        text = collapse(element.text)
        if not _may_be_a_sign(element, text) or any(_plain(text) in one for one in elsewhere):
            continue
        (known if _means(role, text) else unknown).append(text)
    if known:
        yield FoundSign("text", min(known, key=len), "seen on this page only, and it means that")
    elif unknown and role is PageRole.GONE:
        yield FoundSign("text", unknown[0], "seen on this page only; look whether it means that", guess=True)


def _may_be_a_sign(element: SeenElement, text: str) -> bool:
    return element.visible and element.tag in _TOP and 4 <= len(text) <= _MAX_SENTENCE


def _means(role: PageRole, text: str) -> bool:
    if role is PageRole.GONE:
        return NOTHING_HERE.search(text) is not None
    return read_availability(text) is False


def _plain(text: str) -> str:
    return collapse(text).casefold()


def _scalars(document: Any, path: Path = ()) -> Iterator[tuple[Path, FactValue]]:
    if isinstance(document, dict) and len(path) < 5:
        for key, value in document.items():
            yield from _scalars(value, (*path, key))
    elif document is None or isinstance(document, str | int | float | bool):
        yield path, document


def _nulls(document: Any) -> list[tuple[str, ...]]:
    """The paths of plain keys that end in `null`, shortest first."""
    found = [
        tuple(str(key) for key in path)
        for path, value in _scalars(document)
        if value is None and path and all(isinstance(key, str) and _KEY.fullmatch(key) for key in path)
    ]
    return sorted(found, key=len)


def _at(document: Any, path: Sequence[str]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _text_at(document: Any, path: str) -> FactValue:
    found = find_value(document, path)
    return None if found is None else found.value


def _name(source: DocumentKey) -> str:
    return "the answer" if source.strategy == "api_capture" else "the page's data"
