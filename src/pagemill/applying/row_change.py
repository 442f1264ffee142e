"""Changes one row of the catalogue. If that fails, only this row is rolled back, and the transaction goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pagemill.applying.database import is_refusal
from pagemill.applying.raw_table import RawCell, RawTable
from pagemill.applying.row_report import RowOutcome
from pagemill.errors import NotOneRow
from pagemill.results.database import cause_of


class _MadeOtherwise(Exception):
    """The database stored another value than it was given."""


def change_row(
    connection: Connection,
    table: RawTable,
    key: str,
    before: Mapping[str, RawCell],
    after: Mapping[str, RawCell],
    *,
    is_right: Callable[[str, RawCell], bool],
    note: Callable[[Mapping[str, RawCell]], object],
) -> tuple[RowOutcome, str]:
    """Changes a row if it still has the values `before`; returns the outcome, and the reason if the row is not changed.

    Args:
        connection: in a transaction.
        table: the row's table.
        key: the row's key.
        before: the values that its columns must have now.
        after: the new values, for some of these columns.
        is_right: whether a column's stored value is the wanted one; triggers and column types may alter it.
        note: called with the stored values, in the same savepoint.
    """
    try:
        with connection.begin_nested():
            now = table.change(connection, key, before, after)
            if now is None:
                return RowOutcome.OTHERWISE, "the row was changed at this moment"
            for name, value in now.items():
                if not is_right(name, value):
                    raise _MadeOtherwise(f"the database makes {value!r} of {after[name]!r} in {name}")
            note(now)
    except NotOneRow as error:
        return RowOutcome.DOUBLED, str(error)
    except _MadeOtherwise as error:
        return RowOutcome.REFUSED, str(error)
    except DBAPIError as error:
        if not is_refusal(error):
            raise
        return RowOutcome.REFUSED, cause_of(error)
    return RowOutcome.WRITTEN, ""
