"""Request and response bodies for writing results into the catalogue, with examples."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from pagemill.applying.row_report import RowOutcome
from pagemill.model import FactValue

MOST_PRODUCTS = 10_000
SHOWN = 100
_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"

_CHANGE: JsonDict = {
    "platform": "musinsa",
    "product_id": "A1",
    "outcome": "written",
    "field": "price",
    "column": "sale_price",
    "before": 12900,
    "after": 9900,
    "reason": "",
}
_LEFT: JsonDict = {
    **_CHANGE,
    "product_id": "A2",
    "outcome": "otherwise",
    "reason": "sale_price says 11900, the run expected 12900",
}


def _body(*examples: JsonDict) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra={"examples": list(examples)})


def _like(*examples: JsonDict) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": list(examples)})


class UndoBody(BaseModel):
    """Whether the applied changes are undone, or only shown."""

    model_config = _body({"write": True}, {"limit": 20})

    write: bool = Field(default=False, description="Write. Without it nothing is changed")
    limit: int = Field(default=SHOWN, ge=0, le=1000, description="Changes in each list of the answer, the first ones")


class ApplyBody(UndoBody):
    """Whether a run's results are written or only shown, and for which of its products."""

    model_config = _body({"write": True}, {"after": "A1", "most": 1000})

    after: str = Field(
        default="",
        max_length=200,
        pattern=_PLAIN,
        description="Only products behind this one; see `next_after`",
        examples=[""],
    )
    most: int = Field(
        default=1000, ge=1, le=MOST_PRODUCTS, description="Results that are looked at in one request, in hundreds"
    )


class ChangeText(BaseModel):
    """One column of a product's row, with the keys of `pagemill apply --format jsonl`."""

    model_config = _like(_CHANGE)

    platform: str
    product_id: str
    outcome: RowOutcome
    field: str = Field(description="Of the platform; empty where something is undone")
    column: str
    before: FactValue
    after: FactValue
    reason: str = Field(description="Why it was not written; empty where it was")


class AppliedText(BaseModel):
    """What became of the rows."""

    model_config = _like(
        {
            "written": True,
            "outcomes": {"written": 7, "otherwise": 1},
            "columns": 9,
            "changes": [_CHANGE],
            "left": [_LEFT],
            "next_after": "",
            "without": [],
            "may_be_written": True,
        }
    )

    written: bool = Field(description="Whether it is done; else it is what would be")
    outcomes: dict[RowOutcome, int] = Field(
        description="Products by what became of their rows; what did not occur is left out"
    )
    columns: int = Field(description="How many columns of these rows were, or would be, written")
    changes: list[ChangeText] = Field(description="The first ones")
    left: list[ChangeText] = Field(
        description="The first ones that are not written though they should be, each with its reason"
    )
    next_after: str = Field(default="", description="`after` of the next request; empty at the end")
    without: list[str] = Field(
        default_factory=list, description="Platforms of the run that do not say what may be written: nothing is"
    )
    may_be_written: bool = Field(
        description="Whether `PAGEMILL_CATALOG_WRITE_URL` is set; where it is not, all of this can only be shown"
    )
