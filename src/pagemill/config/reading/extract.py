"""Pydantic model of a platform's `extract` section: the sources of its facts, in order of preference."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import model_validator

from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.reading.css_selector import Selector
from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.source import Source
from pagemill.config.section import Section


class Extract(Section):
    """How facts are read. `ready` is the sign that the visited page is complete.

    A section without `sources` is a single source itself: the short form.
    """

    short_form_of: ClassVar[str] = "sources"

    ready: Selector | None = None
    sources: tuple[Source, ...]

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        of_source = {key: inner for key, inner in value.items() if key not in cls.model_fields}
        if "sources" not in value:
            rest = {key: inner for key, inner in value.items() if key in cls.model_fields}
            return {**rest, "sources": [of_source]}
        known = [key for key in of_source if key in Source.model_fields]
        if known:
            raise Mistakes([Mistake("stands beside sources", "move it into one of them", key) for key in known])
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.sources:
            raise Mistake("is empty", "add at least one source", "sources")
        own = next((position for position, source in enumerate(self.sources) if source.is_own), None)
        if own is not None and len(self.sources) > 1:
            remedy = "give it a platform of its own, or read what it needs with the other strategies"
            raise Mistake("a class of your own stands alone: it visits its page itself", remedy, "sources", own)
        fetching = [at for at, source in enumerate(self.sources) if source.strategy == "in_page_fetch"]
        if len(fetching) > 1:
            raise Mistake("is the second in_page_fetch", "keep one of them", "sources", fetching[1])
        if self.ready is not None and not any(source.kind.page for source in self.sources):
            raise Mistake("means nothing where no page is visited", "remove it", "ready")
        return self

    @cached_property
    def fields(self) -> dict[str, tuple[FieldRule, ...]]:
        """Every field of the platform, with its rules in the order in which they are asked."""
        found: dict[str, tuple[FieldRule, ...]] = {}
        for source in self.sources:
            for name, rules in source.fields.items():
                found[name] = (*found.get(name, ()), *rules)
        return found

    @property
    def visits_pages(self) -> bool:
        """Whether any source needs a page."""
        return any(source.kind.page for source in self.sources)

    @property
    def needs_driver(self) -> bool:
        """Whether a source needs a page of Playwright's own."""
        return any(source.kind.driver for source in self.sources)
