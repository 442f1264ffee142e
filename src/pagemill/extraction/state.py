"""Strategy `state`: facts from JSON that stands in the page: in a script element, in a global variable, or as the whole
document.
"""

from __future__ import annotations

from typing import Any

from pagemill.config.reading.source import Source
from pagemill.errors import BrokenScript
from pagemill.extraction.identity import Identity
from pagemill.extraction.json_path import answered_paths
from pagemill.extraction.own_part import own_part
from pagemill.extraction.page_spec import StatePlace
from pagemill.extraction.script_json import documents_of
from pagemill.extraction.sighting import Sighting
from pagemill.extraction.source_told import SourcesTold, errors_in, told_by_json, told_nothing
from pagemill.extraction.watch_plan import WatchPlan


class StateSource:
    """Reads the fields of one source from JSON in the page."""

    def __init__(self, source: Source, position: int, plan: WatchPlan) -> None:
        self._source = source
        self._position = position
        place = StatePlace(source.script, source.variable, source.document is True)
        self._state = plan.state(list(source.fields), place)
        self._name = source.script or source.variable or "the document"

    def tell(self, seen: Sighting, told: SourcesTold, error_paths: tuple[str, ...], identity: Identity) -> None:
        """Adds what each path leads to, or why there is nothing to read."""
        text = seen.states[self._state] if seen.states else None
        length = seen.cut.get(("state", self._state), 0)
        document: Any = None
        if text is None or not text.strip():
            told.troubles.append(f"state: {self._name} is not in the page")
        elif length:
            told.troubles.append(f"state: {self._name} was cut: it is {length} characters long")
        else:
            try:
                document = self._best_of(text)
            except BrokenScript as error:
                told.troubles.append(f"state: {self._name} is broken: {str(error)[:100]}")
        if document is None:
            told.add(told_nothing(self._source.fields, self._position, "state"))
            return
        told.errors += errors_in(document, error_paths)
        told.add(told_by_json(own_part(document, identity), self._source.fields, self._position, "state"))

    def _best_of(self, text: str) -> Any:
        """The script's first object in which a path of the source leads somewhere; else its first object."""
        rules = [rule for several in self._source.fields.values() for rule in several]
        first: Any = None
        for document in documents_of(text):
            if answered_paths(document, rules):
                return document
            first = document if first is None else first
        return first
