"""Pydantic models of everything in `config/`. Units are in the names; every default is the one that runs.

A model says what is allowed and nothing else: reading files, line numbers and environment variables are `loading`'s.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from pagemill.config.hosts import HostRule, HostRules
from pagemill.model import FactValue

Auto = Literal["auto"]
ResourceKind = Literal["image", "media", "font"]


class _Section(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class MsRange(BaseModel):
    """A span of milliseconds, written `3000-4000`, or `3000` for a fixed one."""

    model_config = ConfigDict(frozen=True)

    low_ms: int = Field(ge=0)
    high_ms: int = Field(ge=0)

    def __str__(self) -> str:
        return str(self.low_ms) if self.low_ms == self.high_ms else f"{self.low_ms}-{self.high_ms}"


def _read_ms_range(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("write a number of milliseconds, or a span such as 3000-4000")
    if isinstance(value, int):
        value = str(value)
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", value)
    if match is None:
        raise ValueError(f"{value!r} is not a span: write a number of milliseconds, or two as in 3000-4000")
    low, high = int(match[1]), int(match[2] or match[1])
    if low > high:
        raise ValueError(f"{value!r} runs backwards: write the smaller number first")
    return MsRange(low_ms=low, high_ms=high)


WaitMs = Annotated[MsRange, BeforeValidator(_read_ms_range), PlainSerializer(str)]


class RateLimit(_Section):
    """How fast a platform may be visited."""

    enabled: bool = True
    wait_time_ms: WaitMs = MsRange(low_ms=3000, high_ms=4000)
    max_per_minute: int | None = Field(default=None, ge=1)


class Concurrency(_Section):
    """How many lanes one worker runs for a platform."""

    default: int = Field(default=4, ge=1, le=64)


class Workflow(_Section):
    """Pace and width of the work on a platform."""

    rate_limit: RateLimit = RateLimit()
    concurrency: Concurrency = Concurrency()


class Rotation(_Section):
    """After how many uses a page and a context are replaced."""

    page: Annotated[int, Field(ge=1)] | Auto = "auto"
    context: Annotated[int, Field(ge=1)] | Auto = "auto"


class Viewport(_Section):
    """The window that pages are laid out for, in CSS pixels. Smaller means less to paint."""

    width: int = Field(default=320, ge=64, le=4096)
    height: int = Field(default=240, ge=64, le=4096)


class Navigation(_Section):
    """How a product's page is loaded."""

    timeout_ms: int = Field(default=30_000, ge=100, le=600_000)
    block: tuple[ResourceKind, ...] = ("image", "media", "font")
    viewport: Viewport = Viewport()
    user_agent: str | None = None
    locale: str | None = None


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
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.selector is None) == (self.path is None):
            raise ValueError("write either a selector or a path")
        if self.equals is not None and self.contains is not None:
            raise ValueError("write either equals or contains")
        if self.path is not None and self.attribute is not None:
            raise ValueError("an attribute goes with a selector, not with a path")
        return self


class Extract(_Section):
    """How facts are read from a page."""

    strategy: str = Field(default="dom", pattern=r"^(dom|jsonld|api_capture|[A-Za-z_]\w*(\.[A-Za-z_]\w*)+)$")
    ready: str | None = Field(default=None, min_length=1)
    match: str | None = Field(default=None, min_length=1)
    fields: dict[str, FieldRule]

    @model_validator(mode="before")
    @classmethod
    def _short_fields(cls, value: Any) -> Any:
        """A field written as a bare string is a selector, or a path where the strategy takes paths."""
        if not isinstance(value, dict) or not isinstance(value.get("fields"), dict):
            return value
        key = "path" if value.get("strategy") in ("jsonld", "api_capture") else "selector"
        fields = {
            name: {key: rule} if isinstance(rule, str) else rule for name, rule in value["fields"].items()
        }
        return {**value, "fields": fields}

    @model_validator(mode="after")
    def _fits_strategy(self) -> Self:
        if not self.fields:
            raise ValueError("at least one field is needed, such as name: h1")
        if self.strategy == "api_capture" and self.match is None:
            raise ValueError("strategy api_capture needs match: the URL pattern of the answer to capture")
        if self.strategy != "api_capture" and self.match is not None:
            raise ValueError("match goes with strategy api_capture only")
        wanted = {"dom": "selector", "jsonld": "path", "api_capture": "path"}.get(self.strategy)
        for name, rule in self.fields.items():
            if wanted is not None and getattr(rule, wanted) is None:
                raise ValueError(f"field {name}: strategy {self.strategy} needs a {wanted}")
        return self


class PageSigns(_Section):
    """Signs of a verdict: the HTTP status, or a text anywhere in the page."""

    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    text: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class Judge(_Section):
    """How facts become a verdict."""

    gone: PageSigns = PageSigns(status=(404, 410))
    blocked: PageSigns = PageSigns(status=(403, 429))
    sold_out: dict[str, FactValue] = {"in_stock": False}
    tolerance: dict[str, Annotated[float, Field(ge=0)]] = {}


class Retry(_Section):
    """How often one item is tried, and how long the first pause between two tries is; it doubles each time."""

    attempts: int = Field(default=3, ge=1, le=20)
    backoff_ms: int = Field(default=1000, ge=0, le=600_000)


class Platform(_Section):
    """One shop: `config/platforms/NAME.yaml`."""

    platform: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    hosts: tuple[str, ...] = Field(min_length=1)
    workflow: Workflow = Workflow()
    rotation: Rotation = Rotation()
    navigation: Navigation = Navigation()
    extract: Extract
    judge: Judge = Judge()
    retry: Retry = Retry()

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            HostRule.parse(entry)
        return value

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        for place, names in (("judge.sold_out", self.judge.sold_out), ("judge.tolerance", self.judge.tolerance)):
            for name in names:
                if name not in self.extract.fields and not (place, name) == ("judge.sold_out", "in_stock"):
                    raise ValueError(f"{place}: {name} is not one of extract.fields")
        return self

    def host_rules(self) -> HostRules:
        """The rules that `hosts` states."""
        return HostRules(self.hosts)


class BrowserSettings(_Section):
    """How Chromium is launched."""

    sandbox: bool | Auto = "auto"
    dev_shm: bool | Auto = "auto"
    zygote: bool = True
    extra_args: tuple[str, ...] = ()


class PoolSettings(_Section):
    """Rotation above the platform's own, and the deadlines of the calls that Playwright leaves without one."""

    browser_max_uses: int = Field(default=1000, ge=1)
    driver_max_uses: int = Field(default=5000, ge=1)
    page_max_age_s: float = Field(default=900, gt=0)
    context_max_age_s: float = Field(default=3600, gt=0)
    browser_max_age_s: float = Field(default=4 * 3600, gt=0)
    driver_max_age_s: float = Field(default=24 * 3600, gt=0)
    max_errors: int = Field(default=3, ge=1)
    launch_timeout_s: float = Field(default=30, gt=0)
    open_timeout_s: float = Field(default=10, gt=0)
    close_timeout_s: float = Field(default=5, gt=0)
    relaunch_backoff_s: float = Field(default=0.5, ge=0)
    relaunch_backoff_max_s: float = Field(default=30, ge=0)


class QueueSettings(_Section):
    """Batches on the queue."""

    batch_size: int = Field(default=50, ge=1, le=1000)
    max_retries: int = Field(default=5, ge=0, le=100)
    job_timeout_s: Annotated[int, Field(ge=10)] | Auto = "auto"
    heartbeat_interval_s: float = Field(default=5, gt=0, le=30)
    heartbeat_ttl_s: int = Field(default=45, ge=5, le=600)
    result_ttl_s: int = Field(default=3600, ge=0)

    @model_validator(mode="after")
    def _beats_in_time(self) -> Self:
        if self.heartbeat_ttl_s < 3 * self.heartbeat_interval_s:
            raise ValueError("heartbeat_ttl_s must be at least three times heartbeat_interval_s")
        return self


class ResultSettings(_Section):
    """How results are written."""

    group_size: int = Field(default=50, ge=1, le=1000)
    group_delay_ms: int = Field(default=200, ge=0, le=500)


class ArtifactSettings(_Section):
    """Screenshots and HTML of failures."""

    enabled: bool = True
    folder: Path = Path("data/artifacts")
    max_files: int = Field(default=200, ge=1)
    max_mb: int = Field(default=100, ge=1)


class GuardSettings(_Section):
    """What the sidecar does."""

    sample_interval_s: float = Field(default=5, ge=0.5, le=300)


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
    redis_url: str = ""
    database_url: str = "sqlite:///data/pagemill.db"
    chromium: Path | None = None
    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"


class Config(_Section):
    """Everything a process needs to know: settings, platforms by name, and the environment."""

    settings: Settings
    platforms: dict[str, Platform]
    environment: Environment
