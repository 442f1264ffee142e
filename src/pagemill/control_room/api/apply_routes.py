"""`POST /api/v1/runs/RUN/apply` and `.../apply/undo`: writes results into the catalogue's own table, and undoes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from fastapi import APIRouter, Depends

from pagemill.applying.row_report import LEFT, RowCounts, RowReport
from pagemill.control_room.api.apply_models import AppliedText, ApplyBody, ChangeText, UndoBody
from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp
from pagemill.control_room.api.run_routes import RunPath, find_run
from pagemill.control_room.frame.access import changer
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.errors import UsageError

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], dependencies=[Depends(changer)])

_ANSWERS: Documented = {
    404: {"description": "There is no run of that id"},
    422: {"description": "Nothing may be written, or there is nothing to undo; the message says why"},
    429: {"description": "Something is being applied just now; `Retry-After` says when to try again"},
}
_BUSY_S = 5


@router.post("/{run}/apply", responses=_ANSWERS)
def apply(parts: PartsOfApp, run: RunPath, now: Now, wanted: ApplyBody | None = None) -> Envelope[AppliedText]:
    """Writes what a run found into the catalogue's own table, or shows what it would write: only columns that
    `catalog.update` of the platform names, only where the row still says what the run expected. Rows with the new
    values already stay, so a request may be sent again."""
    asked = wanted or ApplyBody()
    find_run(parts, run)
    changes = _Changes(parts, asked.limit)
    with _alone(parts):
        applied = parts.applier.apply(run, changes.add, writes=asked.write, after=asked.after, most=asked.most)
    text = changes.text(applied.tally, written=asked.write)
    return sealed(text.model_copy(update={"next_after": applied.next_after, "without": list(applied.without)}), now)


@router.post("/{run}/apply/undo", responses={key: _ANSWERS[key] for key in (422, 429)})
def undo(parts: PartsOfApp, run: RunPath, now: Now, wanted: UndoBody | None = None) -> Envelope[AppliedText]:
    """Takes back what was applied of a run, or shows what it would take back: each row gets its former values, where
    it still says what was written. The run itself may have been pruned."""
    asked = wanted or UndoBody()
    changes = _Changes(parts, asked.limit)
    with _alone(parts):
        tally = parts.undoer.undo(run, changes.add, writes=asked.write)
    return sealed(changes.text(tally, written=asked.write), now)


@contextmanager
def _alone(parts: Parts) -> Iterator[None]:
    if not parts.applying.acquire(blocking=False):
        message = "something is being applied just now: try again in some seconds"
        raise ApiError(429, "too_many_requests", message, {"Retry-After": str(_BUSY_S)})
    try:
        yield
    except UsageError as error:
        raise ApiError(422, "invalid", str(error)) from error
    finally:
        parts.applying.release()


class _Changes:
    """Collects the first `limit` changes, and the first `limit` of those that were not written."""

    def __init__(self, parts: Parts, limit: int) -> None:
        self._may_be_written = parts.applier.may_write
        self._limit = limit
        self._first: list[ChangeText] = []
        self._left: list[ChangeText] = []

    def add(self, told: RowReport) -> None:
        for texts in (self._first, self._left) if told.outcome in LEFT else (self._first,):
            if room := self._limit - len(texts):
                texts += [_change_text(record) for record in islice(told.records(), room)]

    def text(self, tally: RowCounts, *, written: bool) -> AppliedText:
        outcomes = {outcome: count for outcome, count in tally.products.items() if count}
        return AppliedText(
            written=written,
            outcomes=outcomes,
            columns=tally.columns,
            changes=self._first,
            left=self._left,
            may_be_written=self._may_be_written,
        )


def _change_text(record: Mapping[str, Any]) -> ChangeText:
    return ChangeText.model_validate({name: value for name, value in record.items() if name != "run"})
