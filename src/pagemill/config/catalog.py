"""Pydantic models of a platform's catalogue in an SQL table. Reading it is `intake.catalog_table`'s, writing to it
`applying`'s."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Section
from pagemill.model import FactValue

NAME = re.compile(r"[^\s\"'`;\x00]{1,200}")
"""The whole of it: a table, with its schema before a dot, or a column."""


def _check_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a name in a database", "write it without quotes and spaces")
    return value


Name = Annotated[str, AfterValidator(_check_name)]


class CatalogUpdate(Section):
    """What results change in the catalogue's table; nothing without `columns`.

    `columns` are those that may be written, by their fields. What a verdict other than `changed` writes stands under
    its name, by fields too.
    """

    columns: dict[str, Name] = Field(default_factory=dict)
    never: tuple[str, ...] = ()
    words: dict[str, dict[str, FactValue]] = Field(default_factory=dict)
    gone: dict[str, FactValue] = Field(default_factory=dict)
    off_sale: dict[str, FactValue] = Field(default_factory=dict)
    sold_out: dict[str, FactValue] = Field(default_factory=dict)

    @property
    def written(self) -> dict[str, str]:
        """The columns that are written, by their fields."""
        return {field: column for field, column in self.columns.items() if field not in self.never}

    def said(self) -> Iterator[tuple[tuple[str, ...], str, FactValue]]:
        """Each value that stands here to be written: its place below this section, its field, and the value."""
        for verdict in ("gone", "off_sale", "sold_out"):
            for field, value in getattr(self, verdict).items():
                yield (verdict, field), field, value
        for field, words in self.words.items():
            for found, word in words.items():
                yield ("words", field, found), field, word


class CatalogTable(Section):
    """Which table holds the products, which of its columns are what, and which of its rows are this platform's."""

    table: Name | None = None
    columns: dict[str, Name] = Field(default_factory=dict)
    where: str | None = None
    update: CatalogUpdate = CatalogUpdate()

    @property
    def written(self) -> dict[str, str]:
        """The columns that results may change, by their fields; none without a table."""
        return {} if self.table is None else self.update.written
