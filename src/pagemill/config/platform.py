"""Pydantic models of a platform's YAML. Units are in the names; every default is the one that runs.

A model says what is allowed and nothing else: reading files and line numbers are `loading`'s. Values are taken as they
are written: no text becomes a number, no `yes` in quotes becomes true.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from pagemill.config.catalog import CatalogTable
from pagemill.config.extract import Extract
from pagemill.config.hosts import HostRule, HostRules
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.revisit import Revisit
from pagemill.config.section import Auto, Flag, MsRange, Number, ResourceKind, Section, WaitMs, Whole
from pagemill.model import FactValue

PLATFORM_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""The whole of it: it stands in Redis keys, URLs and file names."""


class RateLimit(Section):
    """How fast a platform may be visited."""

    enabled: Flag = True
    wait_time_ms: WaitMs = MsRange(low_ms=3000, high_ms=4000)
    max_per_minute: Whole | None = Field(default=None, ge=1)
    pause_s: Number = Field(default=30, ge=0, le=86_400)
    pause_max_s: Number = Field(default=3600, ge=0, le=86_400)

    @property
    def fleet_per_minute(self) -> int | None:
        """How many visits the whole fleet may make in a minute; `None` for as many as it can."""
        return self.max_per_minute if self.enabled else None


class Concurrency(Section):
    """How many lanes one worker runs for a platform."""

    default: Whole = Field(default=4, ge=1, le=64)


class Breaker(Section):
    """When a platform that refuses visits is left alone."""

    enabled: Flag = True
    blocks: Whole = Field(default=5, ge=1, le=1000)
    open_s: Number = Field(default=60, gt=0, le=86_400)
    open_max_s: Number = Field(default=1800, gt=0, le=86_400)


class SlowDown(Section):
    """How far the waits are stretched while visits run into time-outs or blocks."""

    enabled: Flag = True
    max_factor: Number = Field(default=4, ge=1, le=100)


class Workflow(Section):
    """Pace and width of the work on a platform."""

    rate_limit: RateLimit = RateLimit()
    breaker: Breaker = Breaker()
    slow_down: SlowDown = SlowDown()
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
    draw: Literal["on_demand", "always"] = "on_demand"
    user_agent: str | None = None
    locale: str | None = None


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


def _unknown_fields(
    info: ValidationInfo, section: str, names: Iterable[str], *, also: tuple[str, ...] = ()
) -> list[Mistake]:
    """A mistake for each name that is neither one of the platform's fields nor one of `also`."""
    extract = info.data.get("extract")
    if not isinstance(extract, Extract):  # has mistakes of its own
        return []
    known = (*also, *sorted(extract.fields))
    remedy = f"write one of {', '.join(known)}"
    return [Mistake("is not one of extract.fields", remedy, section, name) for name in names if name not in known]


def _refuse(mistakes: list[Mistake]) -> None:
    if mistakes:
        raise Mistakes(mistakes)


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
    catalog: CatalogTable = CatalogTable()
    revisit: Revisit = Revisit()

    @field_validator("hosts")
    @classmethod
    def _has_a_host(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # min_length would count a host with a mistake as missing, and report it twice.
        if not value:
            raise Mistake("must not be empty", "write at least one host, such as [www.shop.com]")
        return value

    @field_validator("extract")
    @classmethod
    def _fetches_from_hosts(cls, value: Extract, info: ValidationInfo) -> Extract:
        hosts, url = info.data.get("hosts"), value.fetch.url
        if hosts and url is not None and re.match(r"(https?:)?//", url):
            refusal = HostRules(hosts).refusal(f"https:{url}" if url.startswith("//") else url)
            if refusal is not None:
                raise Mistake(refusal, "add the host to hosts, or write an address that starts with /", "fetch", "url")
        return value

    @field_validator("catalog")
    @classmethod
    def _maps_known_fields(cls, value: CatalogTable, info: ValidationInfo) -> CatalogTable:
        _refuse(_unknown_fields(info, "columns", value.columns, also=("id", "url")))
        return value

    @field_validator("revisit")
    @classmethod
    def _tags_known_fields(cls, value: Revisit, info: ValidationInfo) -> Revisit:
        _refuse(_unknown_fields(info, "tags", value.tags))
        return value

    @field_validator("judge")
    @classmethod
    def _judges_known_fields(cls, value: Judge, info: ValidationInfo) -> Judge:
        # A platform without in_stock keeps the default, which then never applies.
        names = [name for name in value.sold_out if name != "in_stock"]
        _refuse([*_unknown_fields(info, "sold_out", names), *_unknown_fields(info, "tolerance", value.tolerance)])
        return value

    def host_rules(self) -> HostRules:
        """The rules that `hosts` states."""
        return HostRules(self.hosts)
