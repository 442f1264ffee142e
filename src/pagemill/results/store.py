"""The store of runs and results: each result is written once, however many processes write it and however often.

Owns the SQL statements about results; `run_store` has those about runs. Must not interpret results, and must not retry,
because only callers know how long they can wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection, Text, cast, select

from pagemill.errors import ResultRefused
from pagemill.model import ItemResult, ResultOutline, Verdict
from pagemill.results import schema
from pagemill.results.database import LOCK_TIMEOUT_S, reading, writing
from pagemill.results.rows import from_row, outline_of, storable_text, to_row
from pagemill.results.run_store import RunStore
from pagemill.results.selection import Selection
from pagemill.results.table_store import insert_new

_IDS_PER_QUERY = 500
_ROWS_PER_PAGE = 500


class ResultStore(RunStore):
    """Runs and results in one SQL database."""

    def __init__(
        self,
        url: str,
        *,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
        slow_statement_ms: float = 0,
        is_watched: Callable[[ItemResult], bool] = lambda _result: False,
    ) -> None:
        """
        Args:
            url: as in `TableStore`.
            lock_timeout_s: as in `TableStore`.
            slow_statement_ms: as in `TableStore`.
            is_watched: whether a result is a watched change, which gets a notice at once.
        """
        super().__init__(url, lock_timeout_s=lock_timeout_s, slow_statement_ms=slow_statement_ms)
        self._is_watched = is_watched

    def judged(self, run: str, product_ids: Sequence[str]) -> set[str]:
        """Those of the products that already have a result in this run."""
        stored = {storable_text(product_id): product_id for product_id in product_ids}
        keys = list(stored)
        column = schema.results.c.product_id
        found: set[str] = set()
        with reading(self.engine) as connection:
            for start in range(0, len(keys), _IDS_PER_QUERY):
                chunk = keys[start : start + _IDS_PER_QUERY]
                rows = connection.scalars(select(column).where(schema.results.c.run == run, column.in_(chunk)))
                found.update(stored[key] for key in rows)
        return found

    def write(self, results: Sequence[ItemResult]) -> int:
        """Writes all results in one transaction and returns how many are new.

        A result for a run and product that have one already changes nothing, so repeating a write is safe. Characters
        that databases refuse are replaced. New watched changes are recorded in the same transaction.

        Raises:
            ResultRefused: the database refuses one of them for its content; none is written.
        """
        if not results:
            return 0
        # Sorted, so that two processes that write the same keys cannot deadlock.
        rows = sorted((to_row(result) for result in results), key=lambda row: (row["run"], row["product_id"]))
        watched = {
            (storable_text(each.run), storable_text(each.product_id)) for each in filter(self._is_watched, results)
        }
        try:
            with writing(self.engine) as connection:
                new = insert_new(connection, schema.results, rows)
                if untold := [key for key in new if key in watched]:
                    _note_untold(connection, untold)
            return len(new)
        except (ValueError, TypeError, OverflowError) as error:
            # psycopg encodes facts as JSON itself, and lets errors in that pass through unchanged.
            raise ResultRefused(f"a result cannot be stored: {error}") from error

    def read(self, run: str | None = None, verdict: Verdict | None = None) -> Iterator[ItemResult]:
        """Streams results by run and product id, in flat memory; of all runs if none is given."""
        return self.stream(Selection(run, () if verdict is None else (verdict,)))

    def stream(self, wanted: Selection, after: tuple[str, str] | None = None) -> Iterator[ItemResult]:
        """Streams matching results by run and product id, in flat memory; with `after` only those after that result.

        Each page is read in its own short transaction, so that a slow reader blocks nobody. Results that are written
        meanwhile appear if their place has not been passed yet.
        """
        while True:
            page = self.page(wanted, _ROWS_PER_PAGE, after)
            yield from page
            if len(page) < _ROWS_PER_PAGE:
                return
            after = (page[-1].run, page[-1].product_id)

    def page(self, wanted: Selection, rows: int, after: tuple[str, str] | None = None) -> list[ItemResult]:
        """The first matching results, at most `rows`; with `after` those after that run and product."""
        with reading(self.engine) as connection:
            return [from_row(row) for row in connection.execute(wanted.page(rows, after)).mappings()]

    def outlines(self, run: str) -> Iterator[ResultOutline]:
        """Like `read`, but only the columns that sums need, in half the time."""
        columns = schema.results.c
        as_text = cast(columns.differences, Text).label("differences")
        named = (as_text if name == "differences" else columns[name] for name in ResultOutline._fields)
        query = select(*named).where(columns.run == run).order_by(columns.product_id).limit(_ROWS_PER_PAGE)
        after: str | None = None
        while True:
            with reading(self.engine) as connection:
                page = connection.execute(query if after is None else query.where(columns.product_id > after)).all()
            yield from map(outline_of, page)
            if len(page) < _ROWS_PER_PAGE:
                return
            after = page[-1].product_id


def _note_untold(connection: Connection, keys: list[tuple[str, str]]) -> None:
    """Records these watched changes for a notice, except those of runs that get no notice any more."""
    column = schema.untold_ends.c.run
    open_runs = set(connection.scalars(select(column).where(column.in_({run for run, _ in keys}))))
    if rows := [{"run": run, "product_id": product} for run, product in keys if run in open_runs]:
        insert_new(connection, schema.untold_changes, rows)
