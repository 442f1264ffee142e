"""Which results somebody wants, as a statement that reads one page of them.

Results have one order, that of run and product; a page begins behind the last one of the page before.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, or_, select, tuple_

from pagemill.model import Verdict
from pagemill.results import schema
from pagemill.results.rows import storable_text


@dataclass(frozen=True, slots=True)
class Selection:
    """Results with all of these marks; one that is empty does not count."""

    run: str | None = None
    verdicts: Collection[Verdict] = ()
    platform: str = ""
    product_id: str = ""
    field: str = ""
    """Only where this field differs."""
    text: str = ""
    """Only with this in the product's id, name or addresses; ASCII letters in either case."""

    @property
    def has_no_index(self) -> bool:
        """Whether each result must be looked at to know whether it is wanted, so that one may be found after
        thousands."""
        return bool(self.field or self.text)

    def page(self, rows: int, after: tuple[str, str] | None = None) -> Select[Any]:
        """The first so many of them, or those behind that run and product."""
        return self.narrowed(select(schema.results).limit(rows), after)

    def narrowed(self, statement: Select[Any], after: tuple[str, str] | None = None) -> Select[Any]:
        """The statement, for what is wanted, in order."""
        columns = schema.results.c
        statement = statement.order_by(columns.run, columns.product_id).where(*self._marks())
        if after is None:
            return statement
        if self.run is not None:
            return statement.where(columns.product_id > after[1])
        return statement.where(tuple_(columns.run, columns.product_id) > tuple_(*after))

    def _marks(self) -> Iterator[ColumnElement[bool]]:
        columns = schema.results.c
        if self.run is not None:
            yield columns.run == self.run
        if self.verdicts:
            yield columns.verdict.in_(sorted(verdict.value for verdict in self.verdicts))
        if self.platform:
            yield columns.platform == self.platform
        if self.product_id:
            yield columns.product_id == self.product_id
        if self.field:
            # As `rows` and the engine's serializer write it; a quote within a value has a backslash before it.
            begins = f'{{"field":{_as_json(self.field)},'
            yield cast(columns.differences, Text).contains(begins, autoescape=True)
        if self.text:
            yield _says(storable_text(self.text))


def _says(text: str) -> ColumnElement[bool]:
    columns = schema.results.c
    quoted = _as_json(text)[1:-1]
    # To parse JSON takes long, so it is only parsed where the text stands in it somewhere.
    named = (
        and_(
            cast(column, Text).icontains(quoted, autoescape=True),
            column["name"].as_string().icontains(text, autoescape=True),
        )
        for column in (columns.facts, columns.expected)
    )
    plain = (column.icontains(text, autoescape=True) for column in (columns.product_id, columns.url, columns.final_url))
    return or_(*plain, *named)


def _as_json(text: str) -> str:
    return json.dumps(storable_text(text), ensure_ascii=False)
