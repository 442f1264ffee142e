"""Pydantic model of a platform's catalogue in an SQL table. Reading it is `intake.catalog_table`'s."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from pagemill.config.mistakes import Mistake
from pagemill.config.section import Section

NAME = re.compile(r"[^\s\"'`;\x00]{1,200}")
"""The whole of it: a table, with its schema before a dot, or a column."""


def _check_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a name in a database", "write it without quotes and spaces")
    return value


Name = Annotated[str, AfterValidator(_check_name)]


class CatalogTable(Section):
    """Which table holds the products, which of its columns are what, and which of its rows are this platform's."""

    table: Name | None = None
    columns: dict[str, Name] = Field(default_factory=dict)
    where: str | None = None
