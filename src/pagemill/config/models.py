"""Pydantic models of everything in `config/`. Units are in the names; every default is the one that runs.

A model says what is allowed and nothing else: reading files, line numbers and environment variables are `loading`'s.
Values are taken as they are written: no text becomes a number, no `yes` in quotes becomes true.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pagemill.config.hosts import HostRule, HostRules
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.model import FactValue

PLATFORM_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""The whole of it: it stands in Redis keys, URLs and file names."""

Auto = Literal["auto"]
ResourceKind = Literal["image", "media", "font"]

Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]

_STRATEGIES = ("dom", "jsonld", "api_capture")
_PLACE_BY_STRATEGY: dict[str, Literal["selector", "path"]] = {
    "dom": "selector",
    "jsonld": "path",
    "api_capture": "path",
}


class _Section(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, value: Any) -> Any:
        """A section all of whose lines are commented out reads as nothing, and means the defaults."""
        return {} if value is None else value


class MsRange(BaseModel):
    """A span of milliseconds, written `3000-4000`, or `3000` for a fixed one."""

    model_config = ConfigDict(frozen=True)

    low_ms: int = Field(ge=0)
    high_ms: int = Field(ge=0)

    def __str__(self) -> str:
        return str(self.low_ms) if self.low_ms == self.high_ms else f"{self.low_ms}-{self.high_ms}"


def _read_ms_range(value: Any) -> Any:
    if isinstance(value, MsRange):
        return value
    text = value if isinstance(value, str) and len(value) <= 40 else ""
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value)
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", text)
    if match is None:
        shown = repr(value) if isinstance(value, (str, int, float)) else "this"
        raise Mistake(f"{shown} is not a time in milliseconds", "write a whole number, or a span such as 3000-4000")
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise Mistake(f"{value!r} runs backwards", "write the smaller number first")
    return MsRange(low_ms=low, high_ms=high)


WaitMs = Annotated[MsRange, BeforeValidator(_read_ms_range), PlainSerializer(str)]


class RateLimit(_Section):
    """How fast a platform may be visited."""

    enabled: Flag = True
    wait_time_ms: WaitMs = MsRange(low_ms=3000, high_ms=4000)
    max_per_minute: Whole | None = Field(default=None, ge=1)


class Concurrency(_Section):
    """How many lanes one worker runs for a platform."""

    default: Whole = Field(default=4, ge=1, le=64)


class Workflow(_Section):
    """Pace and width of the work on a platform."""

    rate_limit: RateLimit = RateLimit()
    concurrency: Concurrency = Concurrency()


class Rotation(_Section):
    """After how many uses a page and a context are replaced."""

    page: Annotated[Whole, Field(ge=1)] | Auto = "auto"
    context: Annotated[Whole, Field(ge=1)] | Auto = "auto"


class Viewport(_Section):
    """The window that pages are laid out for, in CSS pixels. Smaller means less to paint."""

    width: Whole = Field(default=320, ge=64, le=4096)
    height: Whole = Field(default=240, ge=64, le=4096)


class Navigation(_Section):
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


class FieldRule(_Section):
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


class Extract(_Section):
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


class PageSigns(_Section):
    """Signs of a verdict: the HTTP status, or a text anywhere in the page."""

    status: tuple[Annotated[Whole, Field(ge=100, le=599)], ...] = ()
    text: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class Judge(_Section):
    """How facts become a verdict."""

    gone: PageSigns = PageSigns(status=(404, 410))
    blocked: PageSigns = PageSigns(status=(403, 429))
    sold_out: dict[str, FactValue] = {"in_stock": False}
    tolerance: dict[str, Annotated[Number, Field(ge=0)]] = {}

    @field_validator("gone", "blocked", mode="before")
    @classmethod
    def _keep_statuses(cls, value: Any, info: ValidationInfo) -> Any:
        """Adding a text must not lose the usual statuses: they stay until `status` itself is written."""
        assert info.field_name is not None
        usual: PageSigns = cls.model_fields[info.field_name].default
        if value is None or isinstance(value, dict):
            return {"status": usual.status, **(value or {})}
        return value


class Retry(_Section):
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


class Platform(_Section):
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


class BrowserSettings(_Section):
    """How Chromium is launched."""

    sandbox: Flag | Auto = "auto"
    dev_shm: Flag | Auto = "auto"
    zygote: Flag = True
    extra_args: tuple[str, ...] = ()


class PoolSettings(_Section):
    """Rotation above the platform's own, and the deadlines of the calls that Playwright leaves without one."""

    browser_max_uses: Whole = Field(default=1000, ge=1)
    driver_max_uses: Whole = Field(default=5000, ge=1)
    page_max_age_s: Number = Field(default=900, gt=0)
    context_max_age_s: Number = Field(default=3600, gt=0)
    browser_max_age_s: Number = Field(default=4 * 3600, gt=0)
    driver_max_age_s: Number = Field(default=24 * 3600, gt=0)
    max_errors: Whole = Field(default=3, ge=1)
    launch_timeout_s: Number = Field(default=30, gt=0)
    open_timeout_s: Number = Field(default=10, gt=0)
    close_timeout_s: Number = Field(default=5, gt=0)
    relaunch_backoff_s: Number = Field(default=0.5, ge=0)
    relaunch_backoff_max_s: Number = Field(default=30, ge=0)


class QueueSettings(_Section):
    """Batches on the queue."""

    batch_size: Whole = Field(default=50, ge=1, le=1000)
    max_retries: Whole = Field(default=5, ge=0, le=100)
    job_timeout_s: Annotated[Whole, Field(ge=10)] | Auto = "auto"
    heartbeat_interval_s: Number = Field(default=5, gt=0, le=30)
    heartbeat_ttl_s: Whole = Field(default=45, ge=5, le=600)
    result_ttl_s: Whole = Field(default=3600, ge=0)

    @model_validator(mode="after")
    def _beats_in_time(self) -> Self:
        if self.heartbeat_ttl_s < 3 * self.heartbeat_interval_s:
            needed = 3 * self.heartbeat_interval_s
            raise Mistake(
                "must be at least three times heartbeat_interval_s", f"write {needed:g} or more", "heartbeat_ttl_s"
            )
        return self


class ResultSettings(_Section):
    """How results are written."""

    group_size: Whole = Field(default=50, ge=1, le=1000)
    group_delay_ms: Whole = Field(default=200, ge=0, le=500)


class ArtifactSettings(_Section):
    """Screenshots and HTML of failures."""

    enabled: Flag = True
    folder: Path = Path("data/artifacts")
    max_files: Whole = Field(default=200, ge=1)
    max_mb: Whole = Field(default=100, ge=1)


class GuardSettings(_Section):
    """What the sidecar does."""

    sample_interval_s: Number = Field(default=5, ge=0.5, le=300)


class Settings(_Section):
    """`config/pagemill.yaml`."""

    browser: BrowserSettings = BrowserSettings()
    pool: PoolSettings = PoolSettings()
    queue: QueueSettings = QueueSettings()
    results: ResultSettings = ResultSettings()
    artifacts: ArtifactSettings = ArtifactSettings()
    guard: GuardSettings = GuardSettings()


class Environment(_Section):
    """What the environment says; it beats YAML."""

    config_folder: Path = Path("config")
    redis_url: str = Field(default="", repr=False)
    database_url: str = Field(default="sqlite:///data/pagemill.db", repr=False)
    chromium: Path | None = None
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"


class Config(_Section):
    """Everything a process needs to know: settings, platforms by name, and the environment."""

    settings: Settings
    platforms: dict[str, Platform]
    environment: Environment
