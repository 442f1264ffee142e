"""Finds the part of a JSON document that is about one product, where the document lists several. Pure.

An answer to a request for several products, or the state of a page that shows others as well, has each of them in a
list or under its id. A path that takes the first one would read another product's facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pagemill.extraction.identity import ID_KEY, Identity

_MAX_DEPTH = 60
_MAX_SPEAKERS = 50

JsonKey = str | int
Path = tuple[JsonKey, ...]


@dataclass(frozen=True, slots=True)
class _Speaker:
    """An object that names the product: by the value of its `key`, or, without a `key`, by the key that leads to it."""

    path: Path
    key: str = ""


def own_part(document: Any, identity: Identity) -> Any:
    """The document without other products, if one list or object in it holds this product among others.

    The document stays whole if nothing names the product, or if several places do. It also stays whole if the
    neighbours are no other products: a product's own options have no id of its kind.
    """
    if not identity.token or not _is_open(document):
        return document
    speakers = []
    for speaker in _speakers(document, identity.token.casefold(), (), _MAX_DEPTH):
        speakers.append(speaker)
        if len(speakers) > _MAX_SPEAKERS:
            return document
    holders = {_holder_of(document, speaker) for speaker in speakers}
    holder = holders.pop() if len(holders) == 1 else None
    if holder is None:
        return document
    kept = {speaker.path[len(holder)] for speaker in speakers}
    below = {(speaker.path[len(holder) + 1 :], speaker.key) for speaker in speakers}
    inner = _at(document, holder)
    if isinstance(inner, list):
        left: Any = [
            element
            for at, element in enumerate(inner)
            if at in kept or not any(_is_another(element, path, key, identity) for path, key in below)
        ]
    else:
        left = {key: value for key, value in inner.items() if key in kept or not _is_beside(key, value, identity)}
    return document if len(left) == len(inner) else _replaced(document, holder, left)


def _speakers(value: Any, token: str, path: Path, depth: int) -> Iterator[_Speaker]:
    """The outermost objects that name the product."""
    if depth == 0:
        return
    if isinstance(value, list):
        for at, element in enumerate(value):
            if _is_open(element):
                yield from _speakers(element, token, (*path, at), depth - 1)
        return
    for key, inner in value.items():
        is_said = isinstance(inner, str | int) and not isinstance(inner, bool) and str(inner).casefold() == token
        if is_said and ID_KEY.fullmatch(key):
            yield _Speaker(path, key)
            return
    for key, inner in value.items():
        if not _is_open(inner):
            continue
        if key.casefold() == token:
            yield _Speaker((*path, key))
        else:
            yield from _speakers(inner, token, (*path, key), depth - 1)


def _holder_of(document: Any, speaker: _Speaker) -> Path | None:
    """The path of the nearest list around the speaker, or of the object that has it under its id."""
    if not speaker.key:
        return speaker.path[:-1]
    return next(
        (speaker.path[:at] for at in range(len(speaker.path) - 1, -1, -1) if _is_list(document, speaker, at)), None
    )


def _is_list(document: Any, speaker: _Speaker, length: int) -> bool:
    return isinstance(_at(document, speaker.path[:length]), list)


def _is_another(element: Any, path: Path, key: str, identity: Identity) -> bool:
    """Whether a neighbour has another product's id at the place where this product has its own."""
    said = _at(element, (*path, key))
    is_said = isinstance(said, str | int) and not isinstance(said, bool) and str(said).strip() != ""
    return is_said and str(said).casefold() != identity.token.casefold()


def _is_beside(key: str, value: Any, identity: Identity) -> bool:
    """Whether another product stands under that key."""
    return _is_open(value) and (identity.is_like(key) or (key.isdecimal() and identity.token.isdecimal()))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _replaced(value: Any, path: Path, by: Any) -> Any:
    """A copy with `by` at that path; everything beside it is shared with the original."""
    if not path:
        return by
    key, inner = path[0], _replaced(value[path[0]], path[1:], by)
    if isinstance(value, list):
        return [inner if at == key else element for at, element in enumerate(value)]
    return {**value, key: inner}


def _is_open(value: Any) -> bool:
    return isinstance(value, dict | list)
