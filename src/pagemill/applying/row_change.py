"""Changes one row of the catalogue. If that fails, this row alone is rolled back, and the transaction goes on."""

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
    """The database took a value, and says another one."""


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
    """Changes a row that says `before`; the outcome, with the reason where it is left as it is.

    Args:
        connection: in a transaction.
        table: the row's.
        key: the row's.
        before: what its columns must say.
        after: what some of them are given.
        is_right: whether what a column says then is what it was to say: triggers and types may have made another value
            of it.
        note: called with what the columns say then, as part of the change.
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
