"""The parts of `/api/v1/runs` and `/api/v1/products` that show runs and results, and the cancellation of runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response, StreamingResponse

from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp
from pagemill.control_room.api.run_models import (
    CancelledText,
    HistoryText,
    PlatformsText,
    PlatformText,
    ResultsPage,
    ResultText,
    RunsPage,
    RunText,
)
from pagemill.control_room.frame.access import changer, reader
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.errors import UsageError
from pagemill.intake.cancel import cancel_run
from pagemill.model import ItemResult, Verdict
from pagemill.results.export import as_record, json_line
from pagemill.results.product_history import history_page
from pagemill.results.runs import RunSummary
from pagemill.results.search import search_results as find_results
from pagemill.results.selection import Selection

router = APIRouter(prefix="/api/v1", tags=["runs"])

_READS = [Depends(reader)]
_CHANGES = [Depends(changer)]
UNKNOWN_RUN: Documented = {404: {"description": "There is no run of that id"}}
_JSON_LINES = "application/x-ndjson"
_RESULTS: Documented = {
    **UNKNOWN_RUN,
    200: {
        "description": "A page, or all of them as JSON lines",
        "content": {_JSON_LINES: {"schema": {"type": "string", "description": "One result per line"}}},
    },
}
_LINES_PER_PIECE = 200
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]+$"
_PLAIN_OR_NONE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_RUN = "20261128-020000-musinsa-4f1c"

RunPath = Annotated[str, Path(max_length=200, pattern=_PLAIN, description="A run's id", examples=[_RUN])]
Before = Annotated[
    str,
    Query(
        max_length=200, pattern=_PLAIN_OR_NONE, description="A run: older ones only; see `next_before`", examples=[""]
    ),
]
PlatformFilter = Annotated[
    str, Query(max_length=100, pattern=_PLAIN_OR_NONE, description="Only of this platform", examples=[""])
]


@router.get("/platforms", dependencies=_READS)
def list_platforms(parts: PartsOfApp, now: Now) -> Envelope[PlatformsText]:
    """The platforms that runs can be begun of, and what may be expected of their products."""
    found = [
        PlatformText(platform=name, fields=list(platform.extract.fields), written_back=list(platform.catalog.written))
        for name, platform in sorted(parts.configured.items())
    ]
    return sealed(PlatformsText(platforms=found), now)


@router.get("/runs", dependencies=_READS, responses=UNKNOWN_RUN)
def list_runs(
    parts: PartsOfApp,
    now: Now,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Before = "",
    platform: PlatformFilter = "",
) -> Envelope[RunsPage]:
    """The runs, newest first: how far they are, their verdicts, and how many products have no result. `platform` finds
    those over several, too."""

    def read() -> list[RunSummary]:
        try:
            return parts.store.runs(limit + 1, before, platform)
        except UsageError as error:
            raise unknown_run() from error

    runs = parts.runs.get((limit, before, platform), read)
    more = runs[limit - 1].run if len(runs) > limit else ""
    return sealed(RunsPage(runs=[run_text(run) for run in runs[:limit]], next_before=more), now)


@router.get("/runs/{run}", dependencies=_READS, responses=UNKNOWN_RUN)
def show_run(parts: PartsOfApp, run: RunPath, now: Now) -> Envelope[RunText]:
    """One run and how far it is."""
    return sealed(run_text(find_run(parts, run)), now)


@router.get("/runs/{run}/results", dependencies=_READS, responses=_RESULTS, response_model=Envelope[ResultsPage])
def show_results(
    parts: PartsOfApp,
    run: RunPath,
    now: Now,
    verdict: Annotated[
        list[Verdict] | None, Query(max_length=20, description="Only with one of these; may be repeated")
    ] = None,
    platform: PlatformFilter = "",
    product: Annotated[
        str, Query(max_length=200, pattern=_PLAIN_OR_NONE, description="Only of this product id", examples=[""])
    ] = "",
    after: Annotated[
        str,
        Query(
            max_length=200,
            pattern=_PLAIN_OR_NONE,
            description="Only behind this product id; see `next_after`",
            examples=[""],
        ),
    ] = "",
    field: Annotated[
        str, Query(max_length=200, pattern=_PLAIN_OR_NONE, description="Only where this field differs", examples=[""])
    ] = "",
    search: Annotated[
        str,
        Query(
            max_length=200,
            pattern=_PLAIN_OR_NONE,
            description="Only with this text in id, name or address; ASCII letters in either case",
            examples=[""],
        ),
    ] = "",
    limit: Annotated[
        int | None, Query(ge=1, le=1000, description="At most so many; 100 in a page, all as JSON lines unless told")
    ] = None,
    format: Annotated[
        Literal["json", "jsonl"], Query(description="A page, or JSON lines without an envelope")
    ] = "json",
) -> Envelope[ResultsPage] | Response:
    """The results of a run by product id, also while it is at work: in pages, or all of them line by line, as they are
    read from the database. With `field` or `search` a page looks at 10,000 results, and may be short or empty before
    the last one."""
    try:
        parts.store.platform_of(run)  # only checks that the run exists; `run` would count all its results for each page
    except UsageError as error:
        raise unknown_run() from error
    wanted = Selection(run, verdict or (), platform, product, field, search)
    behind = (run, after) if after else None
    if format == "jsonl":
        found = islice(parts.store.stream(wanted, behind), limit)
        return StreamingResponse(_json_lines(found), media_type=_JSON_LINES)
    rows = limit or 100
    if wanted.has_no_index:
        some = find_results(parts.store, wanted, rows, after)
        return sealed(
            ResultsPage(results=[_result_text(each) for each in some.results], next_after=some.next_after), now
        )
    page = parts.store.page(wanted, rows + 1, behind)
    more = page[rows - 1].product_id if len(page) > rows else ""
    return sealed(ResultsPage(results=[_result_text(result) for result in page[:rows]], next_after=more), now)


@router.post("/runs/{run}/cancel", dependencies=_CHANGES, responses=UNKNOWN_RUN)
def cancel(parts: PartsOfApp, run: RunPath, now: Now) -> Envelope[CancelledText]:
    """Ends a run before its time: what is done stays, visits under way are broken off, nothing more is begun. A second
    request cancels what is left."""
    find_run(parts, run)
    done = cancel_run(run, parts.redis, parts.store)
    parts.runs.forget()
    text = run_text(find_run(parts, run))
    return sealed(CancelledText(run=text, batches_taken_off=done.taken_off, batches_stopped=done.stopped), now)


@router.get("/products/{platform}/{product:path}/history", dependencies=_READS, responses=UNKNOWN_RUN)
def show_history(
    parts: PartsOfApp,
    platform: Annotated[str, Path(max_length=100, pattern=_PLAIN, description="A platform", examples=["musinsa"])],
    product: Annotated[
        str, Path(max_length=200, pattern=_PLAIN, description="A product's id in the catalogue", examples=["A1"])
    ],
    now: Now,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Before = "",
) -> Envelope[HistoryText]:
    """What became of one product, run after run, the newest first. One that no run has seen has no results."""
    try:
        found = history_page(parts.store, product, platform, limit, before)
    except UsageError as error:
        raise unknown_run() from error
    results = [_result_text(result) for result in found.results]
    return sealed(HistoryText(results=results, next_before=found.next_before), now)


def find_run(parts: Parts, run: str) -> RunSummary:
    """A run with its progress.

    Raises:
        ApiError: 404, there is no run of that id.
    """
    try:
        return parts.store.run(run)
    except UsageError as error:
        raise unknown_run() from error


def unknown_run() -> ApiError:
    """The error for an id that no run has."""
    return ApiError(404, "unknown_run", "there is no run of that id: GET /api/v1/runs lists them")


def run_text(run: RunSummary) -> RunText:
    """A run as the API shows it."""
    return RunText(
        run=run.run,
        platform=run.platform,
        source=run.source,
        priority=run.priority,
        state=run.state,
        created_at=run.created_at,
        queued_at=run.sealed_at,
        cancelled_at=run.cancelled_at,
        broken_off_at=run.broken_at,
        products=run.products,
        skipped=run.skipped,
        done=run.done,
        missing=run.missing,
        verdicts=dict(run.by_verdict),
    )


def _result_text(result: ItemResult) -> ResultText:
    return ResultText.model_validate(as_record(result))


def _json_lines(results: Iterator[ItemResult]) -> Iterator[str]:
    """Yields a few hundred lines at a time, because each yield waits for a thread."""
    while lines := [json_line(as_record(result)) for result in islice(results, _LINES_PER_PIECE)]:
        yield "".join(lines)
