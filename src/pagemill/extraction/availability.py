"""Texts about stock: whether they say that a thing can be bought. The words are in `availability_words.yaml`.

Knows nothing of pages or fields. Only short texts are believed: a long one may mention anything.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

_MAX_CHARS = 80
_ADDRESS = re.compile(
    r"(?:https?:)?(?://)?(?:www\.)?(?:schema\.org|data-vocabulary\.org)/(?:\w+/)?|schema:", re.IGNORECASE
)
_LABEL = re.compile("[^:\uff1a]+[:\uff1a]")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_NO_WORD = re.compile(r"(?:[^\w#]|_)+")
_EAST_ASIAN = "\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_EAST_ASIAN_WORD = re.compile(f"[{_EAST_ASIAN}]")
_SPACES_APART = re.compile(rf"(?<=[{_EAST_ASIAN}]) (?=[{_EAST_ASIAN}#0])|(?<=[#0]) (?=[{_EAST_ASIAN}])")
_MISSING_SPACE = re.compile(rf"(?<=[a-z])(?=[{_EAST_ASIAN}])|(?<=[{_EAST_ASIAN}])(?=[a-z])")


def read_availability(text: str) -> bool | None:
    """Whether a text says that a thing can be bought, now or for later delivery; `None` if it does not tell.

    - It knows schema.org's words (`https://schema.org/InStock`, `schema:in_stock`) and Open Graph's, such as `oos`.
    - It knows what shops write: `Nur noch 3 auf Lager`, `품절`. Ambiguous words must be the whole text.
    - Of overlapping phrases the longest counts: `not in stock`, `almost sold out`. If phrases disagree, the thing
      cannot be bought. A negation beside a phrase of being in stock makes it unclear (`None`).

    Takes time linear in the text. A text of more than 80 characters is `None`.
    """
    text = " ".join(text.split())
    if not text or len(text) > _MAX_CHARS:
        return None
    words = _words()
    known = words.vocabulary.get(_BETWEEN_WORDS.sub("", _ADDRESS.sub("", text.strip("/ "), count=1)).casefold())
    if known is not None or "//" in text:
        return known
    said, label = _said(text, words), _LABEL.match(text)
    return _said(text[label.end() :], words) if said is None and label is not None else said


class _Phrases:
    """Phrases in the form of `_plain`, with what each says."""

    def __init__(self, says: Mapping[str, bool]) -> None:
        self._says = says
        lengths: dict[str, set[int]] = {}
        for phrase in says:
            lengths.setdefault(phrase[:2], set()).add(len(phrase))
        self._lengths = {start: sorted(known, reverse=True) for start, known in lengths.items()}

    def find(self, plain: str) -> Iterator[tuple[int, int, bool]]:
        """Start, end and meaning of each phrase. At every place the longest counts; parts of words do not."""
        at = 0
        while at < len(plain):
            for length in self._lengths.get(plain[at : at + 2], ()):
                end = at + length
                said = self._says.get(plain[at:end])
                if said is not None and not (_runs_on(plain, at) or _runs_on(plain, end)):
                    yield at, end, said
                    at = end - 1
                    break
            at += 1

    def left_out(self, plain: str) -> str:
        """The text without the phrases."""
        kept, after = [], 0
        for start, end, _said in self.find(plain):
            kept.append(plain[after:start])
            after = end
        return " ".join(" ".join((*kept, plain[after:])).split())


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of the data file in the form of `_plain`; those of `vocabulary` also without anything between words."""

    vocabulary: Mapping[str, bool]
    whole: Mapping[str, bool]
    phrases: _Phrases
    fillers: _Phrases
    negations: _Phrases


def _said(text: str, words: _Words) -> bool | None:
    if text in words.whole:
        return words.whole[text]
    plain = words.fillers.left_out(_plain(text))
    if plain in words.whole:
        return words.whole[plain]
    found = {said for _start, _end, said in words.phrases.find(plain)}
    if found == {True} and any(words.negations.find(words.phrases.left_out(plain))):
        return None
    return None if not found else False not in found


def _plain(text: str) -> str:
    """Small letters without accents and punctuation, one space between words, none between East Asian ones.

    Every number is `#`, zero is `0`.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    folded = unicodedata.normalize("NFC", _ACCENT.sub("", folded)).replace("\u0131", "i")
    numbered = _NUMBER.sub(lambda number: "#" if number[0].strip("0.,") else "0", folded)
    spaced = _NO_WORD.sub(" ", _MISSING_SPACE.sub(" ", numbered)).strip()
    return _SPACES_APART.sub("", spaced)


def _runs_on(plain: str, border: int) -> bool:
    """Whether a word continues across `border`. East Asian words, which are written without spaces, never do."""
    around = plain[max(0, border - 1) : border + 1]
    return len(around) == 2 and " " not in around and _EAST_ASIAN_WORD.search(around) is None


@functools.cache
def _words() -> _Words:
    data: Any = yaml.safe_load(resources.files(__package__).joinpath("availability_words.yaml").read_text("utf-8"))
    fillers = _Phrases({_plain(word): True for word in _list(data["fillers"])})
    negations = {_plain(word): True for key in ("negations", "negations_inside") for word in _list(data[key])}
    whole: dict[str, bool] = {}
    phrases: dict[str, bool] = {}
    for language in data["languages"].values():
        for word, says in _by_meaning(language, "only_in_stock", "only_out_of_stock"):
            whole[word] = whole[_plain(word) or word] = says
        for word, says in _by_meaning(language, "in_stock", "out_of_stock"):
            phrases[fillers.left_out(_plain(word))] = says
    vocabulary = {word.casefold(): says for word, says in _by_meaning(data["vocabulary"], "in_stock", "out_of_stock")}
    return _Words(vocabulary, whole, _Phrases(phrases), fillers, _Phrases(negations))


def _by_meaning(lists: Mapping[str, str], yes: str, no: str) -> list[tuple[str, bool]]:
    return [(word, says) for key, says in ((yes, True), (no, False)) for word in _list(lists.get(key, ""))]


def _list(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")] if words else []
