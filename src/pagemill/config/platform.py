"""Pydantic models of a platform's YAML. Units are in the names; every default is the one that runs.

A model says what is allowed and nothing else: reading files and line numbers are `loading`'s. Values are taken as they
are written: no text becomes a number, no `yes` in quotes becomes true.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from pagemill.config.hosts import HostRule, HostRules
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.section import Auto, Flag, MsRange, Number, ResourceKind, Section, WaitMs, Whole
from pagemill.model import FactValue

PLATFORM_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""The whole of it: it stands in Redis keys, URLs and file names."""

_STRATEGIES = ("dom", "jsonld", "api_capture")
_PLACE_BY_STRATEGY: dict[str, Literal["selector", "path"]] = {
    "dom": "selector",
    "jsonld": "path",
    "api_capture": "path",
}


class RateLimit(Section):
    """How fast a platform may be visited."""

    enabled: Flag = True
    wait_time_ms: WaitMs = MsRange(low_ms=3000, high_ms=4000)
    max_per_minute: Whole | None = Field(default=None, ge=1)


class Concurrency(Section):
    """How many lanes one worker runs for a platform."""

    default: Whole = Field(default=4, ge=1, le=64)


class Workflow(Section):
    """Pace and width of the work on a platform."""

    rate_limit: RateLimit = RateLimit()
    concurrency: Concurrency = Concurrency()


class Rotation(Section):
    """After how many uses a page and a context are replaced."""

    page: Annotated[Whole, Field(ge=1)] | Auto = "auto"
    context: Annotated[Whole, Field(ge=1)] | Auto = "auto"


class Viewport(Section):
    """The window that pages are laid out for, in CSS pixels. Smaller means less to paint."""

    width: Whole = Field(default=320, ge=64, le=4096)
    height: Whole = Field(default=240, ge=64, le=4096)


class Navigation(Section):
    """How a product's page is loaded."""

    timeout_ms: Whole = Field(default=30_000, ge=100, le=600_000)
    block: tuple[ResourceKind, ...] = ("image", "media", "font")
    viewport: Viewport = Viewport()
    user_agent: str | None = None
    locale: str | None = None


def _check_regex(text: str) -> None:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        remedy = "mend it, or put a backslash before special characters"
        raise Mistake(f"is not a regular expression: {error}", remedy) from error


_ONE_PLACE = "write either a selector (strategy dom) or a path (strategies jsonld and api_capture)"


class FieldRule(Section):
    """Where a fact is found and how it is read.

    `selector` is CSS (strategy `dom`); `path` is dotted (`jsonld`, `api_capture`). `attribute` reads an attribute
    instead of the text. `regex` narrows the text to its first group (or the whole match). `equals` and `contains`
    make the fact a boolean.
    """

    selector: str | None = Field(default=None, min_length=1)
    path: str | None = Field(default=None, min_length=1)
    attribute: str | None = Field(default=None, min_length=1)
    type: Literal["text", "number", "boolean"] = "text"
    equals: str | None = None
    contains: str | None = None
    regex: str | None = None

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            _check_regex(value)
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.selector is None) == (self.path is None):
            both = self.selector is not None
            raise Mistake("has both a selector and a path" if both else "says nowhere where to read", _ONE_PLACE)
        if self.equals is not None and self.contains is not None:
            raise Mistake("has both equals and contains", "keep one of them")
        if self.path is not None and self.attribute is not None:
            raise Mistake("goes with a selector, not with a path", "remove it", "attribute")
        return self


def _check_strategy(value: str) -> str:
    if value not in _STRATEGIES and not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", value):
        known = ", ".join(_STRATEGIES)
        raise Mistake(f"{value!r} is not a strategy", f"write {known}, or the dotted path of your own class")
    return value


class Extract(Section):
    """How facts are read from a page."""

    strategy: Annotated[str, AfterValidator(_check_strategy)] = "dom"
    ready: str | None = Field(default=None, min_length=1)
    match: str | None = Field(default=None, min_length=1)
    fields: dict[str, FieldRule]

    @model_validator(mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare string is a selector, or a path where the strategy takes paths."""
        if not isinstance(value, dict) or not isinstance(value.get("fields"), dict):
            return value
        strategy = value.get("strategy", "dom")
        key = _PLACE_BY_STRATEGY.get(strategy, "selector") if isinstance(strategy, str) else "selector"
        fields = {name: {key: rule} if isinstance(rule, str) else rule for name, rule in value["fields"].items()}
        return {**value, "fields": fields}

    @field_validator("match")
    @classmethod
    def _match_fits_strategy(cls, value: str | None, info: ValidationInfo) -> str | None:
        strategy = info.data.get("strategy")
        if strategy == "api_capture" and value is None:
            raise Mistake("is missing", "add the URL pattern of the answer that strategy api_capture reads")
        if strategy in ("dom", "jsonld") and value is not None:
            raise Mistake(f"means nothing to strategy {strategy}", "remove it, or use strategy api_capture")
        if value is not None and value.startswith("re:"):
            _check_regex(value.removeprefix("re:"))
        return value

    @field_validator("fields")
    @classmethod
    def _fields_fit_strategy(cls, value: dict[str, FieldRule], info: ValidationInfo) -> dict[str, FieldRule]:
        if not value:
            raise Mistake("is empty", "add at least one field, such as name: h1")
        strategy = info.data.get("strategy", "")
        place = _PLACE_BY_STRATEGY.get(strategy)
        unfit = [name for name, rule in value.items() if place is not None and getattr(rule, place) is None]
        if unfit:
            remedy = f"write a {place} instead"
            raise Mistakes([Mistake(f"strategy {strategy} cannot read this", remedy, name) for name in unfit])
        return value


class PageSigns(Section):
    """Signs of a verdict: the HTTP status, or a text anywhere in the page."""

    status: tuple[Annotated[Whole, Field(ge=100, le=599)], ...] = ()
    text: tuple[Annotated[str, Field(min_length=1)], ...] = ()


def _out_of_stock() -> dict[str, FactValue]:
    return {"in_stock": False}


class Judge(Section):
    """How facts become a verdict."""

    gone: PageSigns = PageSigns(status=(404, 410))
    blocked: PageSigns = PageSigns(status=(403, 429))
    sold_out: dict[str, FactValue] = Field(default_factory=_out_of_stock)
    tolerance: dict[str, Annotated[Number, Field(ge=0)]] = Field(default_factory=dict)

    @field_validator("gone", "blocked", mode="before")
    @classmethod
    def _keep_statuses(cls, value: Any, info: ValidationInfo) -> Any:
        """Adding a text must not lose the usual statuses: they stay until `status` itself is written."""
        assert info.field_name is not None
        usual: PageSigns = cls.model_fields[info.field_name].default
        if value is None or isinstance(value, dict):
            return {"status": usual.status, **(value or {})}
        return value


class Retry(Section):
    """How often one item is tried, and how long the first pause between two tries is; it doubles each time."""

    attempts: Whole = Field(default=3, ge=1, le=20)
    backoff_ms: Whole = Field(default=1000, ge=0, le=600_000)


def _check_name(value: str) -> str:
    if not PLATFORM_NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a platform's name", "use up to 63 small letters, digits, - and _")
    return value


def _check_host(value: str) -> str:
    HostRule.parse(value)
    return value


class Platform(Section):
    """One shop: `config/platforms/NAME.yaml`."""

    platform: Annotated[str, AfterValidator(_check_name)]
    hosts: tuple[Annotated[str, AfterValidator(_check_host)], ...]
    workflow: Workflow = Workflow()
    rotation: Rotation = Rotation()
    navigation: Navigation = Navigation()
    extract: Extract
    judge: Judge = Judge()
    retry: Retry = Retry()

    @field_validator("hosts")
    @classmethod
    def _has_a_host(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # min_length would count a host with a mistake as missing, and report it twice.
        if not value:
            raise Mistake("must not be empty", "write at least one host, such as [www.shop.com]")
        return value

    @field_validator("judge")
    @classmethod
    def _judges_known_fields(cls, value: Judge, info: ValidationInfo) -> Judge:
        extract = info.data.get("extract")
        if not isinstance(extract, Extract):  # has mistakes of its own
            return value
        # A platform without in_stock keeps the default, which then never applies.
        known = {*extract.fields, "in_stock"}
        unknown = [("sold_out", name) for name in value.sold_out if name not in known]
        unknown += [("tolerance", name) for name in value.tolerance if name not in extract.fields]
        if unknown:
            remedy = f"write one of {', '.join(sorted(extract.fields))}"
            raise Mistakes([Mistake("is not one of extract.fields", remedy, *path) for path in unknown])
        return value

    def host_rules(self) -> HostRules:
        """The rules that `hosts` states."""
        return HostRules(self.hosts)
