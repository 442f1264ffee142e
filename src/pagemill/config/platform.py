"""Pydantic models of a platform's YAML. Units are in the names; every default is the one that runs.

A model only says what is allowed; `loading` reads files and knows line numbers. Values are taken as they are written: a
text does not become a number, and a quoted `yes` does not become true.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from pagemill.config.catalog import CatalogTable
from pagemill.config.hosts import HostRule, HostRules
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.notices import WatchedChanges
from pagemill.config.product import ProductAddress
from pagemill.config.reading.crosschecks import (
    addresses_in,
    catalog_mistakes,
    judge_mistakes,
    unknown_fields,
    unknown_names,
)
from pagemill.config.reading.extract import Extract
from pagemill.config.reading.judge import Comparisons, Confirmable, Judge
from pagemill.config.reading.patterns import Names, Part, fill_address
from pagemill.config.reading.steps import PageStep, check_steps
from pagemill.config.revisit import Revisit
from pagemill.config.section import Auto, Flag, MsRange, Number, ResourceKind, Section, WaitMs, Whole
from pagemill.config.visitor.visitor import Viewport, Visitor
from pagemill.config.web_address import is_whole_address

PLATFORM_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""The full pattern: the name is a part of Redis keys, URLs and file names."""

AUTO = "auto"
"""Instead of a platform's name: each product's platform is found by the host of its URL."""


class RateLimit(Section):
    """How fast a platform may be visited."""

    enabled: Flag = True
    wait_time_ms: WaitMs = MsRange(low_ms=3000, high_ms=4000)
    max_per_minute: Whole | None = Field(default=None, ge=1)
    pause_s: Number = Field(default=30, ge=0, le=86_400)
    pause_max_s: Number = Field(default=3600, ge=0, le=86_400)

    @property
    def fleet_per_minute(self) -> int | None:
        """How many visits the whole fleet may make in a minute; `None` is without limit."""
        return self.max_per_minute if self.enabled else None


class Concurrency(Section):
    """How many lanes one worker runs for a platform, and how many visits the whole fleet may make at one time."""

    default: Whole = Field(default=4, ge=1, le=64)
    fleet: Whole | None = Field(default=None, ge=1)


class Breaker(Section):
    """When visits to a platform stop because it refuses them."""

    enabled: Flag = True
    blocks: Whole = Field(default=5, ge=1, le=1000)
    open_s: Number = Field(default=60, gt=0, le=86_400)
    open_max_s: Number = Field(default=1800, gt=0, le=86_400)


class SlowDown(Section):
    """By how much waits are stretched while visits run into time-outs or blocks."""

    enabled: Flag = True
    max_factor: Number = Field(default=4, ge=1, le=100)


class Workflow(Section):
    """How fast and how widely a platform is worked on."""

    rate_limit: RateLimit = RateLimit()
    breaker: Breaker = Breaker()
    slow_down: SlowDown = SlowDown()
    concurrency: Concurrency = Concurrency()

    @property
    def must_ask(self) -> bool:
        """Whether a visit must wait for the fleet's answer, however long that takes."""
        return self.rate_limit.fleet_per_minute is not None or self.concurrency.fleet is not None


class Rotation(Section):
    """After how many uses a page and a context are replaced."""

    page: Annotated[Whole, Field(ge=1)] | Auto = "auto"
    context: Annotated[Whole, Field(ge=1)] | Auto = "auto"


class Navigation(Section):
    """How a product's page is loaded. The visitor is described by `visitor` now; its old names here still work."""

    timeout_ms: Whole = Field(default=30_000, ge=100, le=600_000)
    block: tuple[ResourceKind, ...] = ("image", "media", "font")
    viewport: Viewport = Viewport()
    draw: Literal["on_demand", "always"] = "on_demand"
    user_agent: str | None = None
    locale: str | None = None

    @property
    def of_visitor(self) -> dict[str, Any]:
        """The old names that are set, with their values."""
        defaults = Navigation.model_fields
        return {name: value for name in _OLD_NAMES if (value := getattr(self, name)) != defaults[name].default}


_OLD_NAMES = ("viewport", "user_agent", "locale")


class Retry(Section):
    """How often one item is tried, and the first pause between two tries; each later pause is twice as long."""

    attempts: Whole = Field(default=3, ge=1, le=20)
    backoff_ms: Whole = Field(default=1000, ge=0, le=600_000)


def _check_name(value: str) -> str:
    if not PLATFORM_NAME.fullmatch(value):
        raise Mistake(f"{value!r} is not a platform's name", "use up to 63 small letters, digits, - and _")
    if value == AUTO:
        raise Mistake(f"{value!r} means each product's own platform", "choose another name")
    return value


def _check_host(value: str) -> str:
    HostRule.parse(value)
    return value


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
    visitor: Visitor = Visitor()
    product: ProductAddress = ProductAddress()
    extract: Extract
    steps: tuple[PageStep, ...] = ()
    compare: Comparisons = Field(default_factory=dict)
    require: tuple[str, ...] = ()
    confirm: tuple[Confirmable, ...] = ()
    judge: Judge = Judge()
    retry: Retry = Retry()
    catalog: CatalogTable = CatalogTable()
    revisit: Revisit = Revisit()
    watch: WatchedChanges = WatchedChanges()

    @field_validator("hosts")
    @classmethod
    def _has_a_host(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # min_length would count a host with a mistake as missing, and report it twice.
        if not value:
            raise Mistake("must not be empty", "write at least one host, such as [www.shop.com]")
        return value

    @field_validator("product")
    @classmethod
    def _visits_hosts(cls, value: ProductAddress, info: ValidationInfo) -> ProductAddress:
        _refuse(_foreign_addresses(info, [(("visit",), value.visit)]))
        return value

    @field_validator("visitor")
    @classmethod
    def _takes_over(cls, value: Visitor, info: ValidationInfo) -> Visitor:
        """The visitor, with the settings that `navigation` still has for it."""
        navigation = info.data.get("navigation")
        old = navigation.of_visitor if isinstance(navigation, Navigation) else {}
        remedy = "keep the one of visitor, which has taken over navigation's"
        _refuse(
            [
                Mistake(f"is written as navigation.{name} as well", remedy, name)
                for name, said in old.items()
                if getattr(value, name) not in (None, said)
            ]
        )
        return value.model_copy(update=old)

    @field_validator("extract")
    @classmethod
    def _reads_from_hosts(cls, value: Extract, info: ValidationInfo) -> Extract:
        product = info.data.get("product")
        if isinstance(product, ProductAddress):
            _refuse(unknown_names(value, product.names))
        _refuse(_foreign_addresses(info, addresses_in(value)))
        return value

    @field_validator("steps")
    @classmethod
    def _has_a_page(cls, value: tuple[PageStep, ...], info: ValidationInfo) -> tuple[PageStep, ...]:
        extract = info.data.get("extract")
        if isinstance(extract, Extract):  # else it has mistakes of its own
            check_steps(value, extract)
        return value

    @field_validator("compare", "require", "confirm")
    @classmethod
    def _names_known_fields(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name != "confirm":
            _refuse(unknown_fields(info.data.get("extract"), (), value))
        return value

    @field_validator("retry")
    @classmethod
    def _can_confirm(cls, value: Retry, info: ValidationInfo) -> Retry:
        judge = info.data.get("judge")
        if isinstance(judge, Judge) and judge.confirm and value.attempts < 2:
            remedy = "write at least 2, or remove judge.confirm"
            raise Mistake("leaves no attempt that could confirm a verdict", remedy, "attempts")
        return value

    @field_validator("catalog")
    @classmethod
    def _maps_known_fields(cls, value: CatalogTable, info: ValidationInfo) -> CatalogTable:
        _refuse(catalog_mistakes(value, info.data.get("extract")))
        return value

    @field_validator("revisit")
    @classmethod
    def _tags_known_fields(cls, value: Revisit, info: ValidationInfo) -> Revisit:
        _refuse(unknown_fields(info.data.get("extract"), ("tags",), value.tags))
        return value

    @field_validator("watch")
    @classmethod
    def _watches_known_fields(cls, value: WatchedChanges, info: ValidationInfo) -> WatchedChanges:
        _refuse(unknown_fields(info.data.get("extract"), ("fields",), value.fields))
        return value

    @field_validator("judge")
    @classmethod
    def _judges_known_fields(cls, value: Judge, info: ValidationInfo) -> Judge:
        """The rules, completed by settings beside the section."""
        product = info.data.get("product")
        names = product.names if isinstance(product, ProductAddress) else frozenset()
        mistakes = judge_mistakes(value, info.data.get("extract"), names)
        beside = {name: info.data.get(name) for name in ("compare", "require", "confirm") if info.data.get(name)}
        mistakes += [
            Mistake("stands beside judge as well", "keep one of the two", name)
            for name in beside
            if getattr(value, name)
        ]
        _refuse(mistakes)
        return value.model_copy(update=beside)

    @property
    def outdated(self) -> dict[str, str]:
        """Keys with an old name, each with its present name."""
        return {f"navigation.{name}": f"visitor.{name}" for name in self.navigation.of_visitor}

    @property
    def needs_driver(self) -> str:
        """What in it needs pages of Playwright's driver; empty if nothing does."""
        if self.extract.needs_driver:
            return "strategy"
        return "client_certificates" if self.visitor.client_certificates else ""

    def host_rules(self) -> HostRules:
        """The rules that `hosts` states."""
        return HostRules(self.hosts)

    def names_of(self, product_id: str, url: str) -> Names | None:
        """What the names in templates mean for a catalogue row; `None` if `product.id` does not fit its URL."""
        return self.product.names_of(product_id, url)


def _foreign_addresses(
    info: ValidationInfo, addresses: list[tuple[tuple[str | int, ...], str | None]]
) -> list[Mistake]:
    """A mistake for each whole address whose host is not one of `hosts`."""
    hosts = info.data.get("hosts")
    if not hosts:  # it has mistakes of its own
        return []
    rules, mistakes = HostRules(hosts), []
    for path, url in addresses:
        if url is None or not is_whole_address(url):
            continue
        known: Names = _ANYTHING
        refusal = rules.refusal(fill_address(f"https:{url}" if url.startswith("//") else url, known))
        if refusal is not None:
            other = "" if path == ("visit",) else ", or write an address that starts with /"
            mistakes.append(Mistake(refusal, f"add the host to hosts{other}", *path))
    return mistakes


class _Anything(dict[str, Part]):
    """Has every name; each stands for `1`."""

    def __missing__(self, name: str) -> Part:
        return Part("1")


_ANYTHING = _Anything()
