"""Request and response bodies below `/api/v1/drafts`, with examples."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from pagemill.control_room.api.run_models import SOURCE, PageUrl
from pagemill.model import FactValue, Verdict

MOST_PAGES = 6
"""Fewer than for `pagemill draft`, because the pages stay open beside the API, which should need little memory."""
_EXAMPLE_URLS: list[Any] = [f"https://www.shop.com/products/{number}" for number in (1, 2, 3)]
_CANDIDATE: JsonDict = {
    "source": "state",
    "where": "script: script#__NEXT_DATA__",
    "rule": {"path": "props.pageProps.product.salePrice", "type": "number"},
    "values": [12900, 9900, 15000],
    "why": "JSON that stands in the page",
}

PageUrls = Annotated[list[PageUrl], Field(max_length=MOST_PAGES)]


class ExpectedText(BaseModel):
    """What the first page's product has, where that is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="", max_length=300, pattern=SOURCE)
    price: float | None = Field(default=None, ge=0, le=1e12)
    list_price: float | None = Field(default=None, ge=0, le=1e12)
    brand: str = Field(default="", max_length=300, pattern=SOURCE)
    currency: str = Field(default="", max_length=10, pattern=SOURCE)


class DraftBody(BaseModel):
    """Pages of one shop, from which its file is drafted."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"platform": "myshop", "urls": _EXAMPLE_URLS},
                {
                    "platform": "myshop",
                    "urls": _EXAMPLE_URLS,
                    "sold_out": ["https://www.shop.com/products/4"],
                    "expect": {"price": 12900},
                    "device": "iPhone 15",
                },
            ]
        },
    )

    platform: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Its name; the file is called NAME.yaml. Not `auto`"
    )
    urls: Annotated[PageUrls, Field(min_length=1, description="Products on sale; three are better than one")]
    sold_out: PageUrls = Field(default_factory=list, description="Sold-out products")
    off_sale: PageUrls = Field(default_factory=list, description="Products that are not sold")
    gone: PageUrls = Field(default_factory=list, description="Products that are gone")
    expect: ExpectedText = ExpectedText()
    device: str = Field(default="", max_length=100, pattern=SOURCE, description="Visit as this device")
    locale: str = Field(
        default="", max_length=35, pattern=r"^[A-Za-z0-9-]*$", description="Visit with this language, such as ko-KR"
    )
    wait_ms: str = Field(
        default="3000-4000",
        pattern=r"^\d{1,5}(-\d{1,5})?$",
        description="Between two visits, in milliseconds; 0 for a shop of your own",
    )


class PlaceText(BaseModel):
    """A place that says something of a field."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_CANDIDATE]})

    source: str = Field(description="Its strategy")
    where: str = Field(description="Which document of that kind it is; empty where there is one only")
    rule: dict[str, Any] = Field(description="As it stands in the file")
    values: list[FactValue] = Field(description="What it says on each page, in the order of `pages`; null for nothing")
    why: str


class DraftedFieldText(BaseModel):
    """One field of the drafted file."""

    model_config = ConfigDict(frozen=True)

    field: str
    sureness: Literal["sure", "likely", "unsure", "not found"]
    why: str
    chosen: list[int] = Field(description="The numbers of the places that stand in the file, in their order")
    places: list[PlaceText] = Field(
        description="Those that were chosen first, and then up to ten others, the best first; their numbers stay"
    )


class DraftedPageText(BaseModel):
    """One page, and what the drafted file has read of it."""

    model_config = ConfigDict(frozen=True)

    url: str
    role: Literal["on_sale", "sold_out", "off_sale", "gone"] = Field(description="What the request said of it")
    verdict: Verdict
    right: bool = Field(description="Whether the verdict is what the role asks for")
    reason: str
    facts: dict[str, FactValue]
    troubles: list[str] = Field(description="What could not be read, and bounds that were met")


class DraftedText(BaseModel):
    """What was drafted."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(description="The file")
    tried: bool = Field(description="Whether `pages` tell what this text reads; false once a place was chosen by hand")
    lacking: list[str] = Field(description="What is not good enough to be used as it is")
    fields: list[DraftedFieldText]
    pages: list[DraftedPageText]


class DraftErrorText(BaseModel):
    """Why there is no draft."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str


class DraftText(BaseModel):
    """A draft, and how far it is. It is kept for an hour, in the memory of the process that was asked."""

    model_config = ConfigDict(frozen=True)

    id: str
    platform: str
    state: Literal["at_work", "done", "failed"]
    visited: int = Field(description="Pages that were visited and read")
    of: int = Field(description="Pages in all")
    configured: bool = Field(description="Whether a platform of that name is configured already")
    error: DraftErrorText | None
    draft: DraftedText | None


class ChooseBody(BaseModel):
    """Other places than those that were chosen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"picks": {"price": 1}}, {"picks": {}}]}
    )

    picks: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(
        max_length=20, description="Field by the number of one of its `places`: it comes first in the file"
    )
