"""Pydantic model of a platform's `product` section: from a row of the catalogue to the address that is visited."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, model_validator

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.patterns import Names, Part, Regex, fill_address, names_in
from pagemill.config.reading.user_regex import search_regex
from pagemill.config.section import Section
from pagemill.config.web_address import is_whole_address


class ProductAddress(Section):
    """Where the product's own id is in the row's URL, and which address is visited."""

    id: Regex | None = Field(default=None, min_length=1)
    visit: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        groups = self.groups
        if self.id is not None and "id" not in groups and (groups or re.compile(self.id).groups != 1):
            raise Mistake("names no group id", r"write (?P<id>\d+) where the id stands", "id")
        if self.visit is not None:
            if not names_in(self.visit):
                raise Mistake("is the same for every product", "write {id} where the product's id stands", "visit")
            if unknown := sorted(names_in(self.visit) - self.names):
                known = ", ".join(sorted(self.names))
                raise Mistake(f"{', '.join(unknown)} is not known", f"write one of {known}", "visit")
            if not self.visit.startswith("{url}") and (not is_whole_address(self.visit) or self.visit.startswith("//")):
                raise Mistake("is not a whole address", "begin it with https:// and the host", "visit")
        return self

    @property
    def groups(self) -> frozenset[str]:
        """The names that `id` cuts out of the row's URL."""
        return frozenset(re.compile(self.id).groupindex if self.id else ())

    @property
    def names(self) -> frozenset[str]:
        """The names that this platform's templates may use."""
        return self.groups | {"id", "url"}

    def names_of(self, product_id: str, url: str) -> Names | None:
        """What the names mean for a row of the catalogue; `None` if its URL holds no id.

        Without `id`, `{id}` is the row's own.

        Raises:
            PatternTooSlow: the search for `id` took longer than it may.
        """
        names = {"id": Part(product_id), "url": Part(url, encoded=True)}
        if self.id is None:
            return names
        found = search_regex(self.id, url)
        if found is None or not found[1 if "id" not in self.groups else "id"]:
            return None
        cut = (
            {"id": found[1], **found.groupdict(default="")} if "id" not in self.groups else found.groupdict(default="")
        )
        return names | {name: Part(text, encoded=True) for name, text in cut.items()}

    def address_of(self, names: Names) -> str:
        """The address that is visited."""
        return names["url"].text if self.visit is None else fill_address(self.visit, names)
