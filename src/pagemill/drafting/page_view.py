"""One page's evidence, ordered for choosing: its JSON documents by the source that would read them, and which values in
them are the product's own. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pagemill.config.product import ProductAddress
from pagemill.drafting.evidence import HeardDocument, PageEvidence, PageRole
from pagemill.extraction.identity import ID_KEY, Identity
from pagemill.extraction.own_part import Path, own_part
from pagemill.model import FactValue

_MAX_LEAVES = 60_000
"""Values of one document. What a shop says of one product has far fewer."""
_MAX_DEPTH = 40
_MAIN_WORDS = frozenset({"MAIN", "PRIMARY", "REPRESENTATIVE", "THUMBNAIL", "COVER", "DEFAULT"})


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """A source of JSON: its strategy, and the source's key that finds it.

    `key` is `script`, `variable` or `document` for state, `match` for a captured answer.
    """

    strategy: str
    key: str
    where: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value of a page's JSON. `own` means that the nearest object around it that names a product names the
    page's."""

    source: DocumentKey
    path: Path
    value: FactValue
    own: bool
    main: str = ""
    """In a list whose elements say what they are for, the condition of the main one, such as `type=='MAIN'`."""


@dataclass(frozen=True, slots=True)
class PageView:
    """One page and its JSON."""

    evidence: PageEvidence
    identity: Identity
    documents: dict[DocumentKey, Any]
    leaves: tuple[Leaf, ...]

    @property
    def sells(self) -> bool:
        """Whether the page shows a product that can be bought."""
        return self.evidence.role is PageRole.ON_SALE

    @property
    def shows(self) -> bool:
        """Whether the page shows a product at all."""
        return self.evidence.role is not PageRole.GONE


def views_of(pages: Sequence[PageEvidence], address: ProductAddress) -> list[PageView]:
    """Every page with the documents that its sources would read."""
    identities = [_identity(page, address) for page in pages]
    addresses = (urlsplit(answer.url) for page in pages for answer in page.answers)
    with_query = {address.path for address in addresses if address.query}
    found = []
    for page, identity in zip(pages, identities, strict=True):
        documents = _documents(page, identity, with_query)
        values = [leaf for key, document in documents.items() for leaf in _leaves(key, document, identity)]
        found.append(PageView(page, identity, documents, tuple(values)))
    return found


def _identity(page: PageEvidence, address: ProductAddress) -> Identity:
    names = address.names_of("", page.url)
    return Identity.of(names, page.url) if names else Identity("")


def _documents(page: PageEvidence, identity: Identity, with_query: Set[str]) -> dict[DocumentKey, Any]:
    found: dict[DocumentKey, Any] = {}
    for state in page.states:
        if _is_published(state.document):
            continue  # strategy `structured` reads and understands it
        if state.script is not None:
            key = DocumentKey("state", "script", state.script)
        elif state.variable is not None:
            key = DocumentKey("state", "variable", state.variable)
        else:
            key = DocumentKey("state", "document", "true")
        found.setdefault(key, own_part(state.document, identity))
    heard: dict[DocumentKey, list[HeardDocument]] = {}
    for answer in page.answers:
        if answer.url.partition("#")[0] == page.final_url.partition("#")[0]:
            continue  # it is the document itself
        match = _match(answer.url, identity, with_query)
        heard.setdefault(DocumentKey("api_capture", "match", match), []).append(answer)
    for key, answers in heard.items():
        own = _own_answer(answers, identity)
        if own is not None:
            found[key] = own_part(own.document, identity)
    return found


def _is_published(document: Any) -> bool:
    """Whether it is JSON-LD."""
    first = document[0] if isinstance(document, list) and document else document
    return isinstance(first, dict) and "@context" in first


def _match(url: str, identity: Identity, with_query: Set[str]) -> str:
    """The pattern of the answer's address on any host, with `{id}` in the place of the product's id."""
    parts = urlsplit(url)
    path = "/".join(
        part.replace(identity.token, "{id}") if identity.token and identity.is_in(part) else part
        for part in parts.path.split("/")
    )
    path = path.replace("*", "%2A")
    if identity.token and "{id}" not in path and identity.is_in(parts.query):
        name = next((one.partition("=")[0] for one in parts.query.split("&") if identity.is_in(one)), "")
        return f"{path}?**{name}={{id}}**"
    return f"{path}?**" if parts.path in with_query else path


def _own_answer(answers: Sequence[HeardDocument], identity: Identity) -> HeardDocument | None:
    """The answer that strategy `api_capture` would take, as far as one page tells."""
    asked = [one for one in answers if identity.is_in(one.url) or identity.is_in(one.posted)]
    if asked:
        return asked[0]
    texts = [(one, json.dumps(one.document)) for one in answers]
    said = [one for one, text in texts if identity.is_said_by(text)]
    if said:
        return said[0]
    open_ones = [one for one, text in texts if not identity.is_contradicted_by(text)]
    return open_ones[0] if len(open_ones) == 1 else None


def _leaves(source: DocumentKey, document: Any, identity: Identity) -> Iterator[Leaf]:
    waiting: list[tuple[Path, Any, bool, str]] = [((), document, source.strategy == "api_capture", "")]
    count = 0
    while waiting and count < _MAX_LEAVES:
        path, value, own, main = waiting.pop()
        if isinstance(value, dict):
            own = _is_own(value, own, identity)
            main = _main(value) if path and isinstance(path[-1], int) else ""
        if isinstance(value, dict | list):
            if len(path) < _MAX_DEPTH:
                inner = value.items() if isinstance(value, dict) else enumerate(value)
                waiting += [((*path, key), one, own, main) for key, one in reversed(list(inner))]
            continue
        count += 1
        yield Leaf(source, path, value, own, main)


def _main(value: dict[str, Any]) -> str:
    """The condition that picks the main picture from a list."""
    for key, one in value.items():
        if isinstance(one, str) and one.upper() in _MAIN_WORDS and re.fullmatch(r"[A-Za-z_]\w*", key):
            return f"{key}=='{one}'"
    return ""


def _is_own(value: dict[str, Any], own: bool, identity: Identity) -> bool:
    """Whether an object is about the product; by default as the object around it."""
    said = [str(one) for key, one in value.items() if ID_KEY.fullmatch(key) and isinstance(one, str | int)]
    if identity.token and any(one.casefold() == identity.token.casefold() for one in said):
        return True
    return False if any(identity.is_like(one) for one in said) else own
