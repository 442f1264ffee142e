"""A contestant that fails at a polite pace, as a real process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.polite_figures import Case, Failure
from benchmarks.polite_race import Catalogues, catalogues_of, run_lap
from benchmarks.polite_shops import Street
from benchmarks.race import Visited


@dataclass(frozen=True, slots=True)
class Breaks:
    """Ends as it is told, and has noted what it is given."""

    script: str
    noted: tuple[Visited, ...] = ()
    name: str = "breaks"

    def prepare(self, case: Case, catalogues: Catalogues, folder: Path) -> tuple[list[str], dict[str, str]]:
        """See `Contestant`."""
        return [sys.executable, "-I", "-S", "-c", self.script], dict(os.environ)

    def data(self, folder: Path) -> Path | None:
        """See `Contestant`."""
        return None

    def visits(self, folder: Path) -> list[Visited]:
        """See `Contestant`."""
        return list(self.noted)


ONE = Visited("h-s1-000000", 1.0, 2.0, complete=True)


@pytest.mark.parametrize(
    ("contestant", "reason"),
    [
        (Breaks("raise SystemExit('no browser')", (ONE,)), "no browser"),
        (Breaks("print('nothing to do')"), "nothing to do"),
        (Breaks("", (ONE,)), "too few"),
    ],
)
def test_a_contestant_that_fails_is_told_as_failed(contestant: Breaks, reason: str) -> None:
    """An exit code, no visit, or one that makes no rate: the comparison goes on with the others."""
    case = Case(1, products=2)
    with Street(1) as street:
        lap = run_lap(contestant, case, street, catalogues_of(case, street))
    assert isinstance(lap, Failure)
    assert reason in lap.reason
