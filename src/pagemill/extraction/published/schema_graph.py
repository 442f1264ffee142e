"""JSON-LD, or items in its form, as nodes: names in small letters and without prefixes, references followed.

It knows the form, and nothing of products. Everything is bounded, because pages may publish anything.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

_SCHEMA_ADDRESS = re.compile(r"https?://(?:www\.)?(?:schema\.org|data-vocabulary\.org)/?#?", re.IGNORECASE)
_DECLARED = re.compile(r"([\w-]{1,40}):\s+https?://(?:www\.)?schema\.org/?(?=\s|\Z)", re.IGNORECASE)
_LINKS = frozenset({"itemoffered", "isvariantof"})
"""Properties that are also followed backwards."""
_NAMES_ONLY = frozenset({"@id", "@type", "id", "type", "@context"})
_MAX_NODES = 400_000
_MAX_VALUES = 1_000
_MAX_LINKING = 200
_MAX_LISTS = 4


class Graph:
    """All nodes of one syntax, across the scripts of a page."""

    def __init__(self, documents: Sequence[object], base: str) -> None:
        self.documents = documents
        self.base = base
        self._prefixes = {"schema"}
        self._nodes: dict[int, Node] = {}
        self._by_id: dict[str, Mapping[str, Any]] = {}
        self._linking: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for raw in _objects(documents):
            self._take_in(raw)

    def node(self, raw: Mapping[str, Any]) -> Node:
        """The node of a JSON object; for the same object always the same node."""
        known = self._nodes.get(id(raw))
        if known is None:
            known = self._nodes[id(raw)] = Node(raw, self)
        return known

    def roots(self) -> list[Node]:
        """The outermost nodes, in the order of the document."""
        return [value for value in self.flat(list(self.documents), limit=None) if isinstance(value, Node)]

    def find(self, identifier: str) -> Node | None:
        """The node with that `@id`; if there are several, the one with the most properties."""
        known = self._by_id.get(self._whole(identifier))
        return None if known is None else self.node(known)

    def linking(self, name: str, identifier: str) -> list[Node]:
        """The nodes whose property of that name (`itemoffered`, `isvariantof`) refers to that `@id`."""
        return [self.node(raw) for raw in self._linking.get((name, self._whole(identifier)), ())]

    def name(self, key: str) -> str:
        """A property or type in small letters, without schema.org's address or its prefix."""
        address = _SCHEMA_ADDRESS.match(key)
        if address is not None:
            return key[address.end() :].lower()
        prefix, colon, rest = key.partition(":")
        return (rest if colon and prefix in self._prefixes else key).lower()

    def flat(self, value: object, depth: int = _MAX_LISTS, limit: int | None = _MAX_VALUES) -> list[str | float | Node]:
        """The values of a property as a flat list; references become the nodes they refer to."""
        found: list[str | float | Node] = []
        for element in value if isinstance(value, list) else (value,):
            if limit is not None and len(found) >= limit:
                break
            if isinstance(element, str | int | float):
                found.append(element)
            elif isinstance(element, Mapping):
                inner = next((element[key] for key in ("@value", "@list", "@set") if key in element), None)
                if inner is None:
                    found.append(self._referred(element))
                elif depth:
                    found += self.flat(inner, depth - 1, limit)
            elif isinstance(element, list) and depth:
                found += self.flat(element, depth - 1, limit)
        return found

    def _referred(self, raw: Mapping[str, Any]) -> Node:
        if _identifier(raw) and raw.keys() <= _NAMES_ONLY:
            return self.find(_identifier(raw)) or self.node(raw)
        return self.node(raw)

    def _take_in(self, raw: Mapping[str, Any]) -> None:
        self._prefixes.update(_declared(raw))
        identifier = _identifier(raw)
        if identifier and not raw.keys() <= _NAMES_ONLY:
            whole = self._whole(identifier)
            if len(raw) > len(self._by_id.get(whole, ())):
                self._by_id[whole] = raw
        for key in raw:
            if len(key) <= 40 and (name := self.name(key)) in _LINKS:
                for referred in _references(raw[key]):
                    linking = self._linking.setdefault((name, self._whole(referred)), [])
                    if len(linking) < _MAX_LINKING:
                        linking.append(raw)

    def _whole(self, identifier: str) -> str:
        try:
            return urljoin(self.base, identifier)
        except ValueError:
            return identifier


@dataclass(frozen=True, eq=False)
class Node:
    """A thing that is described. Two nodes are the same only if they are the same JSON object."""

    raw: Mapping[str, Any] = field(repr=False)
    graph: Graph = field(repr=False)

    @functools.cached_property
    def types(self) -> frozenset[str]:
        """The node's types in small letters, such as `product` or `offer`."""
        found = self.raw.get("@type", self.raw.get("type"))
        names = [name for name in self.graph.flat(found) if isinstance(name, str)]
        names += self.texts("additionaltype")
        return frozenset(re.split(r"[/#:]", self.graph.name(name.strip().rstrip("/")))[-1] for name in names)

    @property
    def id(self) -> str:
        """The node's `@id` as it stands; empty without one."""
        return _identifier(self.raw)

    def values(self, *names: str) -> list[str | float | Node]:
        """All values of these properties, those of the first name first. Names are in small letters."""
        return [value for name in names for value in self.graph.flat(self._properties.get(name, []))]

    def texts(self, *names: str) -> list[str]:
        """The values that are texts."""
        return [value for value in self.values(*names) if isinstance(value, str)]

    def nodes(self, *names: str) -> list[Node]:
        """The values that are nodes, and those that are the `@id` of a node."""
        found = [self.graph.find(value) if isinstance(value, str) else value for value in self.values(*names)]
        return [value for value in found if isinstance(value, Node)]

    def linked_by(self, name: str) -> list[Node]:
        """The nodes that have this one as a property of that name: `itemoffered` or `isvariantof`."""
        found = [one for reverse in self.nodes("@reverse") for one in reverse.nodes(name)]
        return found + (self.graph.linking(name, self.id) if self.id else [])

    @functools.cached_property
    def _properties(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for key, value in self.raw.items():
            if isinstance(key, str):
                found.setdefault(self.graph.name(key), []).append(value)
        return found


def _objects(documents: Sequence[object]) -> Iterator[Mapping[str, Any]]:
    """Every JSON object, in the order of the document."""
    waiting: list[object] = [list(documents)]
    left = _MAX_NODES
    while waiting and left > 0:
        left -= 1
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
            waiting += reversed([inner for inner in value.values() if isinstance(inner, Mapping | list)])
        elif isinstance(value, list):
            waiting += reversed([inner for inner in value if isinstance(inner, Mapping | list)])


def _identifier(raw: Mapping[str, Any]) -> str:
    found = raw.get("@id", raw.get("id"))
    return found.strip() if isinstance(found, str) else ""


def _references(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    found = [_identifier(one) if isinstance(one, Mapping) else one for one in values[:_MAX_VALUES]]
    return [one for one in found if isinstance(one, str) and one]


def _declared(raw: Mapping[str, Any]) -> Iterator[str]:
    """The prefixes that a document declares for schema.org."""
    context, prefixes = raw.get("@context"), raw.get("@prefix")
    if isinstance(prefixes, str):
        yield from _DECLARED.findall(prefixes)
    for part in context if isinstance(context, list) else [context]:
        if isinstance(part, Mapping):
            yield from (
                prefix for prefix, says in part.items() if isinstance(says, str) and _SCHEMA_ADDRESS.fullmatch(says)
            )
