"""What to wait for and read in a page, and the `spec` that tells it to `watch_script`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pagemill.config.platform import Platform

FIELD_CHARS = 2_000_000
STATE_CHARS = 4_000_000
STRUCTURED_CHARS = 2_000_000
_TOTAL_CHARS = 8_000_000
MAX_URL = 8_000
"""Characters of an address that are kept, as many as a catalogue's may have. A page can give itself a longer one."""
_IDENTIFIER = re.compile(
    r"(?!(?:await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally"
    r"|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return"
    r"|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)\Z)[A-Za-z_$][\w$]*"
)
"""A name that JavaScript can have for a variable."""


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where in a document something is read: the first element of each selector, in order of preference.

    `attribute` reads an attribute instead of the text. `split` keeps texts of neighbouring elements apart. `visible`
    reads every element, with whether a visitor sees it; `exists` tells only whether there is any. `unsure` means that a
    missing element may still appear. `frame` is the selector of a frame in whose document all of this stands.
    """

    selectors: tuple[str, ...]
    attribute: str | None = None
    split: bool = False
    visible: bool = False
    exists: bool = False
    unsure: bool = False
    frame: str = ""


@dataclass(frozen=True, slots=True)
class StatePlace:
    """Where JSON stands in a page: in exactly one of the three."""

    script: str | None = None
    variable: str | None = None
    document: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """Where one field may come from: places and states by position, or what is published for search engines."""

    places: tuple[int, ...] = ()
    states: tuple[int, ...] = ()
    structured: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A text to look for where a visitor sees it. `ends` says whether finding it ends the wait."""

    text: str
    within: str = ""
    ends: bool = False
    frame: str = ""
    """The selector of a frame in whose document `within` is."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What to wait for and read in a page.

    - With `ready`, the wait ends when that selector is there and the values that are there are whole.
    - Without it, the wait ends when every field in `wants` says something, or when the page has loaded and then stayed
      quiet for 0.3 s (2 s at most). Set `ready` for pages that fetch their content after loading.
    - With neither `ready` nor `wants`, only a sign ends the wait.

    A page whose loading does not end counts as loaded when nothing in it has changed for a third of the time. If
    nothing is said though something could be, the page gets 3 s after it has loaded, or 5 s where `structured` data is
    read: it may still lead elsewhere. A frame that is read gets 5 s at most.

    Before that, the document is read to its end, for 1 s at most, and a refresh within 5 s to another address is waited
    for: what a page says before it leads elsewhere is not the product's. Texts are found in any case and white space.
    """

    places: tuple[PagePlace, ...] = ()
    ready: str | None = None
    wants: tuple[Want, ...] = ()
    states: tuple[StatePlace, ...] = ()
    structured: bool = False
    """Read what the page publishes for search engines."""
    searches: tuple[Search, ...] = ()
    signs: tuple[tuple[str, bool], ...] = ()
    """Selectors to look for, each with whether finding it ends the wait."""
    end_statuses: frozenset[int] = field(default_factory=frozenset)
    """HTTP statuses of the document that settle the verdict; then nothing is waited for or read."""
    errors: bool = False
    """Whether words in JSON are signs. If so, the JSON of an error's document is read as well."""
    urls: tuple[str, ...] = ()
    """Parts of an address that end the wait where the document is at one; `re:` begins a regular expression."""

    @classmethod
    def of(
        cls,
        platform: Platform,
        places: Sequence[PagePlace | tuple[str, str | None]] = (),
        *,
        ready: str | None = None,
        wants: Sequence[Want] | None = None,
        states: Sequence[StatePlace] = (),
        structured: bool = False,
        searches: Sequence[Search] = (),
    ) -> Self:
        """A watch with the signs and statuses by which the platform is judged.

        Args:
            platform: has the signs.
            places: what to read; a pair is a selector and an attribute, `None` for the text.
            ready: the sign that the page is complete.
            wants: where each field may come from; by default every place is a field.
            states, structured, searches: as the fields of that name.
        """
        read = tuple(place if isinstance(place, PagePlace) else PagePlace((place[0],), place[1]) for place in places)
        judge = platform.judge
        ending = (judge.gone, judge.off_sale, judge.blocked)
        texts = [Search(text, within, ends=True) for signs in ending for within, text in signs.texts]
        texts += [Search(text, within) for within, text in judge.sold_out.texts]
        selectors = [(selector, True) for signs in ending for selector in signs.selector]
        selectors += [(selector, False) for selector in judge.sold_out.selector]
        return cls(
            places=read,
            ready=ready,
            wants=tuple(Want((position,)) for position in range(len(read))) if wants is None else tuple(wants),
            states=tuple(states),
            structured=structured,
            searches=tuple(dict.fromkeys((*searches, *texts))),
            signs=tuple(dict.fromkeys(selectors)),
            end_statuses=frozenset((*judge.gone.status, *judge.off_sale.status, *judge.blocked.status)),
            errors=any(signs.error for signs in judge.by_verdict.values()),
            urls=tuple(dict.fromkeys(url for signs in (*ending, judge.sold_out) for url in signs.url)),
        )

    def is_settled_by(self, status: int | None) -> bool:
        """Whether a document of this status need not be looked at: nothing in it could change the verdict."""
        return status is not None and (status in self.end_statuses or (status >= 400 and not self._has_signs))

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the global variables in which states stand."""
        roots = (re.split(r"[.\[]", state.variable)[0] for state in self.states if state.variable is not None)
        return tuple(dict.fromkeys(root for root in roots if _IDENTIFIER.fullmatch(root)))

    @property
    def _has_signs(self) -> bool:
        return bool(self.signs) or any(search.ends for search in self.searches) or (self.errors and bool(self.states))


def reading_spec(watch: Watch) -> dict[str, Any]:
    """What `page_script` is to read in a document."""
    return {
        "places": [
            {
                "selectors": list(place.selectors),
                "attribute": place.attribute,
                "split": place.split,
                "visible": place.visible,
                "exists": place.exists,
                "frame": place.frame,
            }
            for place in watch.places
        ],
        "states": [
            {"script": state.script, "variable": state.variable, "document": state.document} for state in watch.states
        ],
        "structured": watch.structured,
        "searches": [
            [search.within, words_pattern(search.text), search.ends, words_of(search.text), search.frame]
            for search in watch.searches
        ],
        "signs": [[selector, ends] for selector, ends in watch.signs],
        "explain": False,
        "bridge": "",
        "fieldChars": FIELD_CHARS,
        "stateChars": STATE_CHARS,
        "structuredChars": STRUCTURED_CHARS,
        "totalChars": _TOTAL_CHARS,
    }


def words_pattern(text: str) -> str:
    """A regular expression for Python and JavaScript that finds the text whatever white space is between its words."""
    return r"\s*".join(words_of(text))


def words_of(text: str) -> list[str]:
    """One regular expression for each word of the text."""
    return [_escaped(word) for word in text.split()]


def _escaped(word: str) -> str:
    escaped = re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", word)
    # Shops write curly or straight quotes; keyboards have the straight ones only.
    return re.sub('["\u201c\u201d]', '["\u201c\u201d]', re.sub("['\u2018\u2019]", "['\u2018\u2019]", escaped))


def waiting_spec(watch: Watch, stop: str) -> dict[str, Any]:
    return {
        "ready": watch.ready,
        "wants": [
            {"places": list(want.places), "states": list(want.states), "structured": want.structured}
            for want in watch.wants
        ],
        "unsure": [position for position, place in enumerate(watch.places) if place.unsure],
        "endStatuses": sorted(watch.end_statuses),
        "maxUrl": MAX_URL,
        "stop": stop,
        "shown": False,
        "stalled": False,
    }
