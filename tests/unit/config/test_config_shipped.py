"""The configuration that comes with pagemill: it loads, it states the defaults, and the shops are what was agreed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from pagemill.config.profiles import PROFILES, ProfileName
from pagemill.config.section import MsRange
from pagemill.config.settings import Config, GuardSettings, Settings
from pagemill.config.web_address import HostAndPort
from pagemill.config.yaml_source import KeyPath, read_yaml
from tests.unit.config.shipped_settings import SETTINGS_TEXT, in_force, with_profile

FOLDER = Path(__file__).parents[3] / "config"


@pytest.fixture(scope="module")
def shipped() -> Config:
    return load_config(FOLDER, {})


def leaves(section: BaseModel, above: KeyPath = ()) -> Iterator[KeyPath]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


def test_the_settings_file_states_the_defaults(shipped: Config) -> None:
    """So what a user reads there is what runs without it."""
    assert shipped.settings == Settings()


def test_the_settings_file_has_a_line_with_a_remark_for_every_setting(tmp_path: Path) -> None:
    """None is left for a user to find in the code; what a profile sets stands behind a #, with the default."""
    path = tmp_path / "pagemill.yaml"
    path.write_text(in_force(SETTINGS_TEXT))
    lines = path.read_text(encoding="utf-8").splitlines()
    source = read_yaml(path)
    for leaf in leaves(Settings()):
        assert leaf in source.lines, f"{leaf} is not in pagemill.yaml"
        assert " # " in lines[source.lines[leaf] - 1], f"{leaf} has no remark"
    assert load_config(tmp_path, {}).settings == Settings()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_counts_with_the_shipped_file(tmp_path: Path, profile: ProfileName) -> None:
    """It is named in its line, and nothing else in the file is touched: what it sets is what holds."""
    (tmp_path / "pagemill.yaml").write_text(with_profile(SETTINGS_TEXT, profile))
    settings = load_config(tmp_path, {}).settings
    assert settings.profile == profile
    assert settings.guard == GuardSettings.model_validate(dict(PROFILES[profile]))


def test_the_shipped_platforms_are_there(shipped: Config) -> None:
    """Six real shops, and the three of the practice shop."""
    real = ["ably", "hwahae", "kurly", "musinsa", "oliveyoung", "zigzag"]
    assert sorted(shipped.platforms) == sorted([*real, "demo-api", "demo-hydrated", "demo-jsonld"])


@pytest.mark.parametrize(
    ("name", "lanes", "first"),
    [
        ("musinsa", 1, "http"),
        ("ably", 4, "api_capture"),
        ("zigzag", 1, "http"),
        ("kurly", 4, "state"),
        ("oliveyoung", 4, "dom"),
        ("hwahae", 1, "http"),
    ],
)
def test_a_real_shop_is_visited_slowly(shipped: Config, name: str, lanes: int, first: str) -> None:
    """At the pace and width that it bears, and by the source that is known to be right."""
    platform = shipped.platforms[name]
    assert platform.workflow.rate_limit.enabled
    assert platform.workflow.rate_limit.wait_time_ms.low_ms >= 2000
    assert platform.workflow.concurrency.default == lanes
    assert platform.workflow.concurrency.fleet == (1 if lanes == 1 else None)
    assert platform.extract.sources[0].strategy == first
    assert {"name", "image", "list_price", "price", "status"} <= set(platform.extract.fields)
    assert not any("127." in host or "localhost" in host for host in platform.hosts)


@pytest.mark.parametrize(("name", "strategy"), [("hydrated", "dom"), ("jsonld", "jsonld"), ("api", "api_capture")])
def test_the_practice_shop_is_visited_as_fast_as_it_goes(shipped: Config, name: str, strategy: str) -> None:
    """On this machine, or in a container beside the worker's, and with short time-outs."""
    platform: Platform = shipped.platforms[f"demo-{name}"]
    assert [source.strategy for source in platform.extract.sources] == [strategy]
    assert platform.hosts == ("127.0.0.1", "storefront")
    assert platform.workflow.rate_limit.wait_time_ms == MsRange(low_ms=0, high_ms=0)
    assert platform.workflow.rate_limit.max_per_minute is None
    assert platform.workflow.concurrency.default == 4
    assert (platform.rotation.page, platform.rotation.context) == (10, 50)
    assert platform.navigation.timeout_ms == 10_000
    assert (platform.retry.attempts, platform.retry.backoff_ms) == (2, 200)
    assert {"name", "price", "in_stock"} <= set(platform.extract.fields)
    assert platform.judge.gone.status == (404, 410)
    assert platform.judge.gone.text == ("This product is no longer available",)
    assert platform.judge.blocked.status == (403, 429)
    assert platform.judge.blocked.text == ("Access denied",)
    assert platform.host_rules().refusal(f"http://127.0.0.1:8900/{name}/p/1") is None
    assert platform.host_rules().refusal_of(HostAndPort("storefront", 8900), ["172.18.0.2"]) is None
