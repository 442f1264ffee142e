"""Pydantic models of a platform's catalogue in an SQL table. `intake.catalog_table` reads it, `applying` writes to
it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Section
from pagemill.model import FactValue

NAME = re.compile(r"[^\s\"'`;\x00]{1,200}")
"""The full pattern of a name: a column, or a table with its schema before a dot."""


def _check_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a name in a database", "write it without quotes and spaces")
    return value


Name = Annotated[str, AfterValidator(_check_name)]


class CatalogUpdate(Section):
    """What results change in the catalogue's table; nothing without `columns`.

    `columns` says which columns may be written, by field. What other verdicts than `changed` write is under their
    names, also by field.
    """

    columns: dict[str, Name] = Field(default_factory=dict)
    never: tuple[str, ...] = ()
    words: dict[str, dict[str, FactValue]] = Field(default_factory=dict)
    gone: dict[str, FactValue] = Field(default_factory=dict)
    off_sale: dict[str, FactValue] = Field(default_factory=dict)
    sold_out: dict[str, FactValue] = Field(default_factory=dict)

    @property
    def written(self) -> dict[str, str]:
        """The columns that may be written, by field."""
        return {field: column for field, column in self.columns.items() if field not in self.never}

    def said(self) -> Iterator[tuple[tuple[str, ...], str, FactValue]]:
        """Each value that the section itself wants written: its path below this section, its field, and the value."""
        for verdict in ("gone", "off_sale", "sold_out"):
            for field, value in getattr(self, verdict).items():
                yield (verdict, field), field, value
        for field, words in self.words.items():
            for found, word in words.items():
                yield ("words", field, found), field, word


class CatalogTable(Section):
    """Which table holds the products, what its columns mean, and which rows belong to this platform."""

    table: Name | None = None
    columns: dict[str, Name] = Field(default_factory=dict)
    where: str | None = None
    update: CatalogUpdate = CatalogUpdate()

    @property
    def written(self) -> dict[str, str]:
        """The columns that results may change, by field; none without a table."""
        return {} if self.table is None else self.update.written
