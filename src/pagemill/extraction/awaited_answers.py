"""Waits for the API answers of one visit, for each source up to its `within_ms`. `api_capture` chooses the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pagemill.deadlines import within
from pagemill.errors import DeadlineExceeded
from pagemill.extraction.api_capture import CaptureSource, ChosenAnswer, Listening
from pagemill.extraction.identity import Identity
from pagemill.extraction.page_news_port import News
from pagemill.extraction.source_told import SourcesTold
from pagemill.extraction.visit import Visit


@dataclass(slots=True)
class AwaitedAnswers:
    """The answers of one visit, and the positions of the sources that wait for them."""

    listenings: dict[asyncio.Task[ChosenAnswer], Listening] = field(default_factory=dict)
    positions: dict[asyncio.Task[ChosenAnswer], int] = field(default_factory=dict)

    @property
    def pending(self) -> set[asyncio.Task[ChosenAnswer]]:
        """The tasks that still wait."""
        return {task for task in self.listenings if not task.done()}

    def settled(self) -> AwaitedAnswers:
        """Only the answers that have come, or that nobody waits for any more."""
        return AwaitedAnswers({task: one for task, one in self.listenings.items() if task.done()}, self.positions)

    def tell(self, told: SourcesTold, error_paths: tuple[str, ...], requests: tuple[str, ...] = ()) -> list[int]:
        """Adds what the answers say to `told`.

        Args:
            told: receives it.
            error_paths: the paths at which an answer may report an error.
            requests: the page's other requests for data, shown to people if no answer fits.

        Returns:
            The statuses, from 400, of the product's own answers that refused.
        """
        refused = []
        for task, listening in self.listenings.items():
            chosen = task.result() if task.done() and not task.cancelled() and task.exception() is None else None
            chosen = chosen or listening.rest()
            if chosen is not None and chosen.status >= 400:
                told.troubles.append(f"api_capture: HTTP {chosen.status}")
                refused.append(chosen.status)
            others = listening.told_passed() or [f"{url} (does not fit match)" for url in requests]
            listening.source.tell(chosen, told, error_paths, others)
        return refused


@asynccontextmanager
async def hunting(
    captures: Mapping[int, CaptureSource], visit: Visit, identity: Identity, left_s: float
) -> AsyncIterator[AwaitedAnswers]:
    """Listens for the answers of a visit: for each source up to its own time, and never longer than `left_s`."""
    hunt = AwaitedAnswers()
    for position, source in captures.items():
        listening = source.listen(visit, identity)
        task = asyncio.create_task(_chosen(listening, visit.news, min(source.within_s, left_s)))
        hunt.listenings[task] = listening
        hunt.positions[task] = position
    try:
        yield hunt
    finally:
        for task in hunt.listenings:
            task.cancel()
        await asyncio.gather(*hunt.listenings, return_exceptions=True)


async def _chosen(listening: Listening, news: News | None, within_s: float) -> ChosenAnswer:
    if news is None:
        raise DeadlineExceeded("nobody listens for the answer to capture", 0)
    return await within(within_s, listening.first(news), "waiting for the answer to capture")
