"""Request and response bodies below `/api/v1/runs`, `/api/v1/products` and `/api/v1/try`, with examples."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from pagemill.config.web_address import MAX_URL_CHARS, usable_text
from pagemill.control_room.frame.envelope import Moment
from pagemill.intake.begin_run import MOST_BATCH, MOST_SOURCE
from pagemill.model import FactValue, Priority, Verdict
from pagemill.results.runs import RunState

MOST_PRODUCTS = 5000
"""The most products in a JSON body; an upload may have ten times as many."""
PLATFORM = "A configured platform; or `auto`: of each product the one whose hosts have its url's"
SOURCE = r"^[^\x00-\x1f\x7f-\x9f]*$"

_EXAMPLE_RUN = "20261128-020000-musinsa-4f1c"
PageUrl = Annotated[
    str,
    Field(min_length=1, max_length=MAX_URL_CHARS, json_schema_extra={"pattern": r"^[^\x00-\x20\x7f-\x9f]+$"}),
    AfterValidator(usable_text),
]
"""An address that may be asked for; the pattern is for who reads the description."""

_PRODUCT: JsonDict = {"id": "A1", "url": "https://www.musinsa.com/products/1", "price": 12900}
_SHOWN_RUN: JsonDict = {
    "run": _EXAMPLE_RUN,
    "platform": "musinsa",
    "source": "back office",
    "priority": "normal",
    "state": "at_work",
    "created_at": "2026-11-28T02:00:00.000Z",
    "queued_at": "2026-11-28T02:00:00.210Z",
    "cancelled_at": None,
    "broken_off_at": None,
    "products": 120,
    "skipped": 1,
    "done": 80,
    "missing": 40,
    "verdicts": {"ok": 71, "changed": 8, "failed": 1},
}
_RESULT: JsonDict = {
    "run": _EXAMPLE_RUN,
    "batch": "b00001",
    "product_id": "A1",
    "url": "https://www.musinsa.com/products/1",
    "final_url": "https://www.musinsa.com/products/1",
    "platform": "musinsa",
    "verdict": "changed",
    "reason": "price 12900 → 9900",
    "differences": [{"field": "price", "expected": 12900, "found": 9900}],
    "facts": {"name": "Shirt", "price": 9900},
    "attempts": 1,
    "started_at": "2026-11-28T02:00:03.100000+00:00",
    "finished_at": "2026-11-28T02:00:03.900000+00:00",
    "worker": "worker-1",
}


def _like(*examples: JsonDict) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": list(examples)})


def _body(*examples: JsonDict) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra={"examples": list(examples)})


Limit = Annotated[int, Field(ge=1, le=10_000_000, description="At most so many products")]
BatchSize = Annotated[
    int, Field(ge=1, le=MOST_BATCH, description="Products of one batch; the configured number unless told")
]
PriorityWord = Annotated[
    # Values from JSON are strings, which pydantic's strict mode would not accept for an enumeration.
    Priority,
    Field(strict=False, description="Before or after which other runs of the platform it is worked on"),
    WithJsonSchema({"type": "string", "enum": [word.value for word in Priority]}),
]
DecimalSignText = Annotated[
    Literal[".", ","],
    Field(
        description="The decimal sign of numbers in text, the other one may part groups of three digits; what can be "
        "read in one way only unless told"
    ),
]
SourceName = Annotated[
    str, Field(max_length=MOST_SOURCE, pattern=SOURCE, description="What the list of runs calls its source")
]


class RunBody(BaseModel):
    """A run that is wanted: `products`, or `catalog` for the table that `pagemill enqueue sql` reads."""

    model_config = _body(
        {"platform": "musinsa", "products": [_PRODUCT], "source": "back office"},
        {"platform": "musinsa", "catalog": "sql", "limit": 100, "priority": "low"},
        {"platform": "auto", "catalog": "sql:goods"},
    )

    platform: str = Field(max_length=100, description=PLATFORM)
    products: list[dict[str, Any]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_PRODUCTS,
        description="Each with `id`, `url` and the values to expect, named as in the platform's `extract.fields`",
    )
    catalog: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^sql(:[^\x00-\x1f\x7f-\x9f]*)?$",
        description="`sql` for the table that the platform's `catalog` describes, `sql:TABLE` for another one",
    )
    decimal: DecimalSignText | None = None
    source: SourceName = ""
    limit: Limit | None = None
    batch_size: BatchSize | None = None
    priority: PriorityWord = Priority.NORMAL
    strict: bool = Field(default=False, description="Queue nothing where a single row is bad")


class AgainBody(BaseModel):
    """Which products of a run are wanted again; with neither key those with `failed` or `blocked`, and missing ones."""

    model_config = _body({"verdicts": ["failed", "blocked"], "missing": True}, {"missing": True, "priority": "high"})

    verdicts: Annotated[list[Annotated[Verdict, Field(strict=False)]], Field(max_length=len(Verdict))] | None = None
    missing: bool | None = Field(default=None, description="Those that have no result")
    limit: Limit | None = None
    batch_size: BatchSize | None = None
    priority: PriorityWord = Priority.NORMAL


class PlatformText(BaseModel):
    """A configured platform."""

    model_config = ConfigDict(frozen=True)

    platform: str
    fields: list[str] = Field(description="What the columns of its catalogues may be called, beside id and url")
    written_back: list[str] = Field(description="Those of them that `apply` may write into the catalogue's own table")


class PlatformsText(BaseModel):
    """All configured platforms, by name."""

    model_config = _like(
        {"platforms": [{"platform": "musinsa", "fields": ["name", "price", "in_stock"], "written_back": ["price"]}]}
    )

    platforms: list[PlatformText]


class RunText(BaseModel):
    """A run and how far it is."""

    model_config = _like(_SHOWN_RUN)

    run: str
    platform: str = Field(description="`auto` for a run over several")
    source: str = Field(description="Where its products came from")
    priority: Priority
    state: RunState
    created_at: Moment
    queued_at: Moment | None = Field(description="When all of it was on the queue")
    cancelled_at: Moment | None
    broken_off_at: Moment | None = Field(
        description="When it was noticed that its enqueueing broke off; none again when somebody goes on with it"
    )
    products: int | None = Field(
        description="None until all of it is on the queue; where that broke off, those that were handed in by then"
    )
    skipped: int | None = Field(description="Bad rows of its source; none until all of it is on the queue")
    done: int = Field(description="Products with a result")
    missing: int | None = Field(description="Products without one; none until all of it is on the queue")
    verdicts: dict[Verdict, int] = Field(description="Results by verdict; what did not occur is left out")


class RunsPage(BaseModel):
    """Runs, the newest first."""

    model_config = _like({"runs": [_SHOWN_RUN], "next_before": _EXAMPLE_RUN})

    runs: list[RunText]
    next_before: str = Field(description="`before` of the next page; empty on the last one")


class BadRowText(BaseModel):
    """A row that was skipped, or a remark on the whole source."""

    model_config = _like({"line": 3, "reason": "no url"})

    line: int = Field(description="Of the file, or the number of the product or row, from 1; 0 for none in particular")
    reason: str


class BegunText(BaseModel):
    """A run that was begun."""

    model_config = _like(
        {
            "run": {**_SHOWN_RUN, "done": 0, "missing": 120, "verdicts": {}},
            "bad_rows": [{"line": 3, "reason": "no url"}],
            "bad_rows_in_all": 1,
        }
    )

    run: RunText
    bad_rows: list[BadRowText] = Field(description="The first twenty, so far")
    bad_rows_in_all: int = Field(description="How many there are, so far")


class CancelledText(BaseModel):
    """A run that was ended before its time."""

    model_config = _like(
        {
            "run": {**_SHOWN_RUN, "state": "cancelled", "cancelled_at": "2026-11-28T02:01:00.000Z"},
            "batches_taken_off": 1,
            "batches_stopped": 1,
        }
    )

    run: RunText
    batches_taken_off: int = Field(description="Batches that waited")
    batches_stopped: int = Field(description="Batches at work, whose visits are broken off")


class DifferenceText(BaseModel):
    """An expected field that the page contradicts."""

    model_config = ConfigDict(frozen=True)

    field: str
    expected: FactValue
    found: FactValue


class ResultText(BaseModel):
    """What became of one product in one run, with the keys of `pagemill results --format jsonl`."""

    model_config = _like(_RESULT)

    run: str
    batch: str
    product_id: str
    url: str = Field(description="The catalogue's")
    final_url: str = Field(description="Where the visit ended; empty where there was none")
    platform: str
    verdict: Verdict
    reason: str
    differences: list[DifferenceText]
    facts: dict[str, FactValue]
    attempts: int
    started_at: str = Field(json_schema_extra={"format": "date-time"})
    finished_at: str = Field(json_schema_extra={"format": "date-time"})
    worker: str


class ResultsPage(BaseModel):
    """Results of one run, by product id."""

    model_config = _like({"results": [_RESULT], "next_after": "A1"})

    results: list[ResultText]
    next_after: str = Field(
        description="`after` of the next page, which may be empty where many results were not wanted; empty on the "
        "last one"
    )


class ArtifactText(BaseModel):
    """A file that was kept from a failure."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["picture", "html"]
    bytes: int
    taken_at: Moment


class ArtifactsText(BaseModel):
    """The artifacts of one product's failure in one run."""

    model_config = _like({"artifacts": [{"kind": "picture", "bytes": 48211, "taken_at": "2026-11-28T02:00:03.900Z"}]})

    artifacts: list[ArtifactText]


class HistoryText(BaseModel):
    """Results of one product, the newest run's first."""

    model_config = _like({"results": [_RESULT], "next_before": ""})

    results: list[ResultText]
    next_before: str = Field(
        description="`before` of the next page, which may be empty where many runs had nothing of this product; empty "
        "when all runs were looked at"
    )


class TryBody(BaseModel):
    """One product to visit."""

    model_config = _body({"platform": "musinsa", "url": "https://www.musinsa.com/products/1"})

    platform: str = Field(max_length=100, description="A configured platform")
    url: PageUrl = Field(description="On one of its hosts")
    id: str = Field(
        default="", max_length=200, pattern=SOURCE, description="Its id in the catalogue, where templates need it"
    )


class TriedText(BaseModel):
    """What `pagemill try --json` tells of one visit; nothing is expected of the product, and nothing is kept."""

    model_config = ConfigDict(frozen=True)

    url: str
    address: str = Field(description="What was visited")
    final_url: str
    verdict: Verdict
    reason: str
    status: int | None
    ready: bool = Field(description="Whether what the platform waits for appeared")
    facts: dict[str, FactValue]
    fields: dict[str, list[dict[str, Any]]] = Field(description="What each source said of each field")
    steps: list[dict[str, Any]]
    signs: list[dict[str, str]] = Field(description="Every sign that was met, whether it decided or not")
    requests: list[str] = Field(description="What was asked for without a page, and what came")
    troubles: list[str]
    browser_ms: int
    read_ms: int
