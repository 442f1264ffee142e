"""Pydantic models of `config/pagemill.yaml` and of the environment. Units are in the names.

Every default is the value that is used. `loading` and `environment` read the files and variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pagemill.config.alerts import AlertRules, CooldownMinutes
from pagemill.config.mistakes import Mistake
from pagemill.config.platform import Platform
from pagemill.config.profiles import PROFILES, ProfileName
from pagemill.config.schedule import Schedule
from pagemill.config.section import Auto, Changeable, Flag, Number, Section, Whole
from pagemill.config.visitor.secrets import Credentials, ProxyAddress


class BrowserSettings(Section):
    """How Chromium is launched."""

    driver: Literal["auto", "playwright", "none"] = "auto"
    sandbox: Flag | Auto = "auto"
    dev_shm: Flag | Auto = "auto"
    zygote: Flag = True
    extra_args: tuple[str, ...] = ()


class PoolSettings(Section):
    """How many visits may be at work; rotation beyond the platform's own; deadlines for calls that Playwright leaves
    without one."""

    places: Annotated[Whole, Field(ge=1, le=1000)] | Auto = "auto"
    idle_pages: Whole = Field(default=0, ge=0, le=1000)
    idle_s: Number = Field(default=30, gt=0)
    browser_max_uses: Whole = Field(default=1000, ge=1)
    driver_max_uses: Whole = Field(default=5000, ge=1)
    page_gc_uses: Whole = Field(default=5, ge=0)
    page_max_age_s: Number = Field(default=900, gt=0)
    context_max_age_s: Number = Field(default=3600, gt=0)
    browser_max_mb: Whole = Field(default=400, ge=50)
    driver_max_mb: Whole = Field(default=200, ge=50)
    browser_max_age_s: Number = Field(default=4 * 3600, gt=0)
    driver_max_age_s: Number = Field(default=24 * 3600, gt=0)
    max_errors: Whole = Field(default=3, ge=1)
    launch_timeout_s: Number = Field(default=30, gt=0)
    open_timeout_s: Number = Field(default=10, gt=0)
    close_timeout_s: Number = Field(default=5, gt=0)
    relaunch_backoff_s: Number = Field(default=0.5, ge=0)
    relaunch_backoff_max_s: Number = Field(default=30, ge=0)


class QueueSettings(Section):
    """How batches are queued."""

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


class ResultSettings(Section):
    """How results are written."""

    group_size: Whole = Field(default=50, ge=1, le=1000)
    group_delay_ms: Whole = Field(default=200, ge=0, le=500)
    slow_statement_ms: Whole = Field(default=1000, ge=0)
    """Also for the catalogue's database; 0 means never."""


class ArtifactSettings(Section):
    """Screenshots and HTML of failures."""

    enabled: Flag = True
    folder: Path = Path("data/artifacts")
    max_files: Whole = Field(default=200, ge=1)
    max_mb: Whole = Field(default=100, ge=1)


_Days = Annotated[Whole, Field(ge=1, le=36_500)]


class RetentionSettings(Section):
    """How long old data is kept; without a number of days it is never removed."""

    runs_days: _Days | None = None
    """Days since the last result of a run. A run is removed with all its results."""
    artifacts_days: _Days | None = None


class AlertSettings(Section):
    """Which alerts are raised, and how often the same one may be."""

    enabled: Annotated[Flag, Changeable("enable_alerts", "Whether alerts are raised")] = True
    cooldown_minutes: Annotated[
        CooldownMinutes, Changeable("alert_cooldown_minutes", "Minutes in which the same alert is raised once")
    ] = 15


_Interval = Annotated[Number, Field(ge=1)]
_Percent = Annotated[Number, Field(gt=0, le=100)]
_OF_LIMIT = "Percent of the limit"
_WEEK_S = 7 * 24 * 3600

MARKS = ("recover_percent", "warning_percent", "cleanup_percent", "critical_percent", "emergency_percent")
"""The settings of the guard that must rise from one to the next."""


class GuardSettings(Section):
    """How the sidecar measures and judges, and what it does when something runs short."""

    sample_interval_s: Annotated[
        Number, Field(ge=0.5, le=300), Changeable("monitoring_interval_seconds", "Seconds between two measurements")
    ] = 5
    cleanup_interval_s: Annotated[
        _Interval, Changeable("cleanup_interval_seconds", "Seconds between clean-ups without need", most=_WEEK_S)
    ] = 300
    gc_interval_s: Annotated[
        _Interval, Changeable("gc_interval_seconds", "Least seconds between collections of garbage", most=_WEEK_S)
    ] = 300
    recover_percent: Annotated[_Percent, Changeable("recover_threshold", _OF_LIMIT, "low_water_mark")] = 60
    warning_percent: Annotated[_Percent, Changeable("warning_threshold", _OF_LIMIT)] = 70
    cleanup_percent: Annotated[_Percent, Changeable("cleanup_threshold", _OF_LIMIT, "high_water_mark")] = 80
    critical_percent: Annotated[_Percent, Changeable("critical_threshold", _OF_LIMIT, "alert_threshold")] = 85
    emergency_percent: Annotated[_Percent, Changeable("emergency_threshold", _OF_LIMIT)] = 95
    memory_limit_mb: Annotated[Whole, Field(ge=100)] | Auto = "auto"
    js_heap_limit_mb: Whole = Field(default=512, ge=32, le=4096)
    renderer_limit_mb: Annotated[Whole, Field(ge=100)] | Auto = "auto"
    browser_limit_mb: Annotated[Whole, Field(ge=200)] | Auto = "auto"
    enable_auto_gc: Annotated[
        Flag, Changeable("enable_auto_gc", "Whether clean-ups and pressure collect Python's garbage")
    ] = True
    max_cache_size: Annotated[
        Whole, Field(ge=1), Changeable("max_cache_size", "Entries that a registered cache may keep", most=100_000_000)
    ] = 1000
    cache_cleanup_ratio: Annotated[
        Number, Field(gt=0, le=1), Changeable("cache_cleanup_ratio", "Share of its entries that a trimmed cache loses")
    ] = 0.3
    history_size: Annotated[
        Whole, Field(ge=1, le=100_000), Changeable("max_history_size", "Points that `/memory/history` tells at most")
    ] = 288
    stuck_after_s: Number = Field(default=10, ge=1, le=600)
    alerts: AlertSettings = AlertSettings()

    @model_validator(mode="after")
    def _marks_rise(self) -> Self:
        for lower, higher in pairwise(MARKS):
            low, high = getattr(self, lower), getattr(self, higher)
            if low >= high:
                raise Mistake(f"must be above {lower}, which is {low:g}", f"write more than {low:g}", higher)
        return self


_TIME_OF_DAY = r"([01]\d|2[0-3]):[0-5]\d"


class SupervisorSettings(Section):
    """How `pagemill worker --processes N` keeps its processes fresh."""

    beat_timeout_s: Number = Field(default=60, ge=5, le=3600)
    stop_grace_s: Number = Field(default=10, ge=0, le=3600)
    restart_at: Annotated[str, Field(pattern=f"^{_TIME_OF_DAY}$")] | None = "04:10"
    respawn_backoff_s: Number = Field(default=1, ge=0)
    respawn_backoff_max_s: Number = Field(default=60, ge=0)
    max_crashes: Whole = Field(default=8, ge=1)


class Settings(Section):
    """`config/pagemill.yaml`."""

    profile: ProfileName | None = None
    browser: BrowserSettings = BrowserSettings()
    pool: PoolSettings = PoolSettings()
    queue: QueueSettings = QueueSettings()
    results: ResultSettings = ResultSettings()
    artifacts: ArtifactSettings = ArtifactSettings()
    retention: RetentionSettings = RetentionSettings()
    guard: GuardSettings = GuardSettings()
    supervisor: SupervisorSettings = SupervisorSettings()

    @model_validator(mode="before")
    @classmethod
    def _starts_from_profile(cls, value: Any) -> Any:
        """A profile gives the guard other defaults. What the file says beats them."""
        if not isinstance(value, dict) or value.get("profile") not in PROFILES:
            return value
        own = value.get("guard") or {}
        if not isinstance(own, dict):
            return value
        return {**value, "guard": {**PROFILES[value["profile"]], **own}}


class Environment(Section):
    """The settings of the environment, which beat YAML."""

    config_folder: Path = Path("config")
    redis_url: str = Field(default="", repr=False)
    database_url: str = Field(default="sqlite:///data/pagemill.db", repr=False)
    catalog_url: str = Field(default="", repr=False)
    """Empty if the catalogue is in the results' database; see `catalog_database_url`."""
    catalog_write_url: str = Field(default="", repr=False)
    """The only way to change a catalogue's table; without it no table is changed."""
    api_secret: str = Field(default="", repr=False)
    """Signs the control API's tokens. Empty for an API on loopback that needs no token."""
    alert_urls: Mapping[str, str] = Field(default_factory=dict, repr=False)
    """Addresses of alert channels, by the end of their variables' names: TEAM for PAGEMILL_ALERT_URL_TEAM."""
    proxies: Mapping[str, ProxyAddress] = Field(default_factory=dict, repr=False)
    """Addresses of proxies, by the end of their variables' names: SEOUL_A for PAGEMILL_PROXY_SEOUL_A."""
    credentials: Mapping[str, Credentials] = Field(default_factory=dict, repr=False)
    """Users and passwords, by the end of their variables' names: STAGING for PAGEMILL_CREDENTIALS_STAGING."""
    profile: ProfileName | None = None
    """Beats the profile that `pagemill.yaml` names."""
    chromium: Path | None = None
    log_format: Literal["auto", "json", "console"] = "auto"
    log_folder: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"

    @property
    def catalog_database_url(self) -> str:
        """The database with the catalogue's tables."""
        return self.catalog_url or self.database_url


class Config(Section):
    """Everything a process needs to know: settings, platforms by name, schedule, alert rules, and the environment."""

    settings: Settings
    platforms: dict[str, Platform]
    schedule: Schedule = Schedule()
    alerts: AlertRules = AlertRules()
    environment: Environment
    settings_lines: Mapping[str, int] = {}
    """The dotted keys that `pagemill.yaml` itself sets, each with its line."""
