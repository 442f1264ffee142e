"""Strategy `structured`: standard facts from what shops publish for search engines. `schema_product` finds them."""

from __future__ import annotations

from typing import Any

from pagemill.config.reading.source import Source
from pagemill.extraction.page_spec import STRUCTURED_CHARS
from pagemill.extraction.published.schema_product import StructuredData, standard_facts
from pagemill.extraction.sighting import Sighting
from pagemill.extraction.source_told import SourcesTold, told_by_json, told_nothing
from pagemill.extraction.watch_plan import WatchPlan


class StructuredSource:
    """Reads the fields of one source from the standard facts of the page's own product."""

    def __init__(self, source: Source, position: int, plan: WatchPlan) -> None:
        self._source = source
        self._position = position
        plan.structured(list(source.fields), optional=source.reads_all_standard_facts)

    def tell(self, seen: Sighting, told: SourcesTold, asked: str) -> None:
        """Adds what each path into the standard facts leads to, and what is broken or cut."""
        if seen.structured is None:
            told.add(told_nothing(self._source.fields, self._position, "structured"))
            return
        found = standard_facts(StructuredData.of(seen.structured), seen.url or asked)
        told.troubles += [f"structured: {message}" for message in found.broken]
        if found.cut:
            told.troubles.append(
                f"structured: there is more than {STRUCTURED_CHARS} characters of it; the rest was cut"
            )
        said: dict[str, Any] = {name: value for name, value in found.facts.items() if value is not None}
        if not said:
            if not found.broken:
                told.troubles.append("structured: the page publishes no product of its own for search engines")
            told.add(told_nothing(self._source.fields, self._position, "structured"))
            return
        told.add(told_by_json(said, self._source.fields, self._position, "structured"))
