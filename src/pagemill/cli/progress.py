"""Progress bars on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pagemill.results.runs import RunProgress
from pagemill.results.store import ResultStore

_POLL_S = 0.25


@contextmanager
def counting(console: Console, what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar without a known end. The function that it gives takes the number of products so far."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:.0f} products"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(products: int) -> None:
            progress.update(task, completed=products)

        yield advance


def follow(
    console: Console, store: ResultStore, runs: Sequence[str], check: Callable[[], None] = lambda: None
) -> list[RunProgress]:
    """Shows the progress of the runs until all have ended; returns how each ended, in the same order.

    `check` is called at each refresh and may raise an error to stop waiting.
    """
    columns = (TextColumn("validating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    shown = (*columns, TextColumn("{task.fields[verdicts]}"))
    with Progress(*shown, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None, verdicts="")
        while True:
            states = [store.progress(run) for run in runs]
            counts: dict[str, int] = {}
            for state in states:
                for verdict, count in state.by_verdict.items():
                    counts[verdict.value] = counts.get(verdict.value, 0) + count
            progress.update(
                task,
                total=sum(state.products or 0 for state in states),
                completed=sum(state.done for state in states),
                verdicts=" ".join(f"{verdict} {count}" for verdict, count in sorted(counts.items())),
            )
            if all(state.finished for state in states):
                return states
            check()
            time.sleep(_POLL_S)
