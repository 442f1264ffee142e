"""What all sources want of one page, gathered so that one look reads everything.

Each source registers its places when the strategy is made, keeps the positions that it gets, and finds what was read at
the same positions of the sighting.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pagemill.config.platform import Platform
from pagemill.extraction.page_spec import PagePlace, Search, StatePlace, Want, Watch


@dataclass(slots=True)
class _Wanted:
    places: list[int] = field(default_factory=list)
    states: list[int] = field(default_factory=list)
    structured: bool = False


class WatchPlan:
    """Places, states and texts by position, and where each field is waited for."""

    def __init__(self) -> None:
        self._places: list[PagePlace] = []
        self._states: list[StatePlace] = []
        self._searches: list[Search] = []
        self._wanted: dict[str, _Wanted] = {}
        self._structured = False
        self._published: dict[str, bool] = {}

    def place(self, field_name: str, place: PagePlace) -> int:
        """Adds a place at which that field may stand; returns its position."""
        self._places.append(place)
        position = len(self._places) - 1
        self._want(field_name).places.append(position)
        return position

    def state(self, field_names: list[str], state: StatePlace) -> int:
        """Adds JSON in the page from which those fields may come; returns its position."""
        self._states.append(state)
        position = len(self._states) - 1
        for name in field_names:
            self._want(name).states.append(position)
        return position

    def search(self, search: Search) -> int:
        """Adds a text to look for; returns its position."""
        if search not in self._searches:
            self._searches.append(search)
        return self._searches.index(search)

    def structured(self, field_names: list[str], *, optional: bool = False) -> None:
        """Asks for what the page publishes for search engines, from which those fields may come.

        `optional`: a field that no other source has is not waited for, because few pages publish all of them.
        """
        self._structured = True
        self._published |= dict.fromkeys(field_names, optional)

    def _want(self, name: str) -> _Wanted:
        return self._wanted.setdefault(name, _Wanted())

    def watch(self, platform: Platform) -> Watch:
        """The complete watch, with the signs by which the platform is judged."""
        alone = not self._wanted
        for name, optional in self._published.items():
            if alone or name in self._wanted or not optional:
                self._want(name).structured = True
        return Watch.of(
            platform,
            self._places,
            ready=platform.extract.ready,
            wants=[Want(tuple(w.places), tuple(w.states), w.structured) for w in self._wanted.values()],
            states=self._states,
            structured=self._structured,
            searches=self._searches,
        )
