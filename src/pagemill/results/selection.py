"""Criteria for results, and the SQL statement that reads one page of matching results.

Results are ordered by run and product. A page begins after the last result of the page before.
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
    """Criteria that results must all meet; empty ones are ignored."""

    run: str | None = None
    verdicts: Collection[Verdict] = ()
    platform: str = ""
    product_id: str = ""
    field: str = ""
    """Only results in which this field differs."""
    text: str = ""
    """Only results with this text in the product's id, name or addresses; ASCII letters match in either case."""

    @property
    def has_no_index(self) -> bool:
        """Whether each result must be read to check the criteria, so that a match may come only after thousands."""
        return bool(self.field or self.text)

    def page(self, rows: int, after: tuple[str, str] | None = None) -> Select[Any]:
        """The statement for the first matching results, or for those after that run and product."""
        return self.narrowed(select(schema.results).limit(rows), after)

    def narrowed(self, statement: Select[Any], after: tuple[str, str] | None = None) -> Select[Any]:
        """The statement limited to matching results, in order."""
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
            # The form in which `rows` and the engine's serializer write it. A quote in a value has a backslash before
            # it.
            begins = f'{{"field":{_as_json(self.field)},'
            yield cast(columns.differences, Text).contains(begins, autoescape=True)
        if self.text:
            yield _says(storable_text(self.text))


def _says(text: str) -> ColumnElement[bool]:
    columns = schema.results.c
    quoted = _as_json(text)[1:-1]
    # Parsing JSON is slow, so it is done only if the text occurs somewhere in it.
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
