"""A worker's strategies: loaded at first use, let go when nobody visits their platform any more."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Mapping
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from pagemill.config.platform import Platform
from pagemill.errors import ConfigError, Problem
from pagemill.extraction.sources import SourcesStrategy
from pagemill.extraction.strategy import Strategy
from pagemill.extraction.strategy_registry import StrategyRegistry
from pagemill.telemetry import events


def platform(name: str, strategy: str = "dom") -> Platform:
    return Platform.model_validate(
        {"platform": name, "hosts": ["shop.test"], "extract": {"strategy": strategy, "fields": {"name": "h1"}}}
    )


class OwnStrategy:
    """One that notes when it is closed."""

    def __init__(self, name: str, closed: list[str]) -> None:
        self._name = name
        self._closed = closed

    async def read(self, page: object, visit: object) -> Any: ...

    def close(self) -> None:
        self._closed.append(self._name)


class Workshop:
    """Makes strategies, and has a clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.made: list[str] = []
        self.closed: list[str] = []
        self.mistakes: set[str] = set()

    def load(self, platform: Platform) -> Strategy:
        name = platform.platform
        if name in self.mistakes:
            raise ConfigError([Problem(f"platforms/{name}.yaml", None, "extract.strategy", "no module", "install it")])
        self.made.append(name)
        return cast(Strategy, OwnStrategy(name, self.closed))

    def registry(self, *names: str) -> StrategyRegistry:
        platforms = [platform(name) for name in names]
        return StrategyRegistry(platforms, self.load, ttl_s=3600, now_s=lambda: self.now_s)


def test_a_strategy_is_loaded_at_its_first_use_and_once() -> None:
    """Later uses get the same one."""
    workshop = Workshop()
    registry = workshop.registry("ably", "musinsa")
    assert (workshop.made, registry.loaded()) == ([], [])
    first = registry["ably"]
    assert registry["ably"] is first
    assert registry.get("ably") is first
    assert (workshop.made, registry.loaded()) == (["ably"], ["ably"])


def test_it_is_the_mapping_that_lanes_use() -> None:
    """Every platform is in it, and looking at the names loads nothing."""
    workshop = Workshop()
    registry: Mapping[str, Strategy] = workshop.registry("ably", "musinsa")
    assert (list(registry), len(registry), "ably" in registry) == (["ably", "musinsa"], 2, True)
    assert "other" not in registry
    assert registry.get("other") is None
    with pytest.raises(KeyError, match="other"):
        registry["other"]
    assert workshop.made == []


def test_without_a_loader_it_loads_what_platforms_name() -> None:
    """The real strategies."""
    assert isinstance(StrategyRegistry([platform("ably")])["ably"], SourcesStrategy)


def test_mistakes_show_at_the_start_and_all_at_once() -> None:
    """Those platforms that are in order are loaded all the same."""
    workshop = Workshop()
    workshop.mistakes = {"ably", "zigzag"}
    registry = workshop.registry("ably", "musinsa", "zigzag")
    with pytest.raises(ConfigError) as caught:
        registry.load_all()
    assert [problem.file for problem in caught.value.problems] == ["platforms/ably.yaml", "platforms/zigzag.yaml"]
    assert registry.loaded() == ["musinsa"]
    workshop.mistakes.clear()
    registry.load_all()
    assert registry.loaded() == ["ably", "musinsa", "zigzag"]


@pytest.mark.parametrize(("idle_s", "dropped"), [(0, []), (3599.9, []), (3600, ["ably"]), (90_000, ["ably"])])
def test_one_that_is_unused_for_long_is_let_go(idle_s: float, dropped: list[str]) -> None:
    """Counted from its last use, by the given moment or by its own clock; one that is in use stays."""
    for told in (True, False):
        workshop = Workshop()
        registry = workshop.registry("ably", "musinsa")
        registry.load_all()
        workshop.now_s += 5000
        registry["ably"]
        workshop.now_s += idle_s
        registry["musinsa"]
        assert registry.drop_unused(workshop.now_s if told else None) == dropped
        assert workshop.closed == dropped
        assert registry.loaded() == sorted({"ably", "musinsa"} - set(dropped))
        assert registry.drop_unused() == []


def test_one_that_was_let_go_is_freed_and_comes_back_anew() -> None:
    """Nothing of the old one is kept, and the next visit costs one loading."""
    workshop = Workshop()
    registry = workshop.registry("ably")
    old = weakref.ref(registry["ably"])
    workshop.now_s += 3600
    assert registry.drop_unused() == ["ably"]
    gc.collect()
    assert old() is None
    assert registry["ably"] is registry["ably"]
    assert workshop.made == ["ably", "ably"]
    assert registry.drop_unused() == []


def test_asking_for_a_platform_is_no_use_of_its_strategy() -> None:
    """Names and lengths are looked at without visits."""
    workshop = Workshop()
    registry = workshop.registry("ably")
    registry.load_all()
    workshop.now_s += 3600
    assert "ably" in registry
    assert list(registry.keys()) == ["ably"]
    assert registry.drop_unused() == ["ably"]


def test_closing_lets_go_of_all_of_them() -> None:
    """Once."""
    workshop = Workshop()
    registry = workshop.registry("ably", "musinsa")
    registry.load_all()
    registry.close()
    registry.close()
    assert workshop.closed == ["ably", "musinsa"]
    assert registry.loaded() == []


def test_a_close_that_fails_is_logged_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The strategy is let go in any case; one without a `close` needs none."""
    workshop = Workshop()
    registry = workshop.registry("ably", "musinsa", "zigzag")
    registry.load_all()

    def fail() -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(registry["ably"], "close", fail, raising=False)
    monkeypatch.setattr(registry["musinsa"], "close", None, raising=False)
    workshop.now_s += 3600
    with capture_logs() as lines:
        assert registry.drop_unused() == ["ably", "musinsa", "zigzag"]
    assert workshop.closed == ["zigzag"]
    assert [(line["event"], line["platform"]) for line in lines] == [(events.UNEXPECTED, "ably")]
    assert registry.loaded() == []
