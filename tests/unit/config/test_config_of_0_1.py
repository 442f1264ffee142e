"""The files of 0.1, with every key that it had, load today, mean what they meant, and warn of each renamed key."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pagemill.config.loading import load_config
from pagemill.config.settings import Config

MADE = Path(__file__).parents[2] / "made_by_0_1"

ENVIRONMENT = {
    "PAGEMILL_CONFIG": str(MADE / "config"),
    "PAGEMILL_REDIS_URL": "redis://queue.example:6379/0",
    "PAGEMILL_DATABASE_URL": "postgresql://mill@db.example/mill",
    "PAGEMILL_CATALOG_URL": "sqlite:///catalogue.db",
    "PAGEMILL_API_SECRET": "0123456789abcdef0123456789abcdef",
    "PAGEMILL_CHROMIUM": sys.executable,
    "PAGEMILL_LOG_FORMAT": "json",
    "PAGEMILL_LOG_LEVEL": "WARNING",
    "PAGEMILL_ALERT_URL_TEAM": "https://hooks.slack.com/services/T0/B0/made-up",
    "PAGEMILL_ALERT_URL_DUTY": "mailtos://u:p@smtp.example:587?from=a@example.com&to=b@example.com",
    "PAGEMILL_ALERT_URL_HOOK": "https://hook.example/x",
    "PAGEMILL_ALERT_URL_PHONE": "tgram://1:a/2",
}
"""All variables of 0.1."""


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(environ=ENVIRONMENT, tells_alerts=True)


def differing(meant: Any, means: Any, path: str) -> Iterator[str]:
    """Where what 0.1 made of a file is not what is made of it now. Keys that came later do not matter."""
    if isinstance(meant, dict) and isinstance(means, dict):
        for key, value in meant.items():
            yield from differing(value, means.get(key, "nothing"), f"{path}.{key}")
    elif meant != means:
        yield f"{path}: {meant} was meant, {means} is"


def as_before(loaded: dict[str, Any]) -> dict[str, Any]:
    """A platform in the form that 0.1 had: one source, one rule for each field, facts as the only sign of sold out."""
    (source,) = loaded["extract"]["sources"]
    rules = {name: _one_rule(rules) for name, rules in source["fields"].items()}
    fetch = source["fetch"] or {"url": None, "pattern": None, "fields": {}, "sample_every": 40}
    fetch["fields"] = {name: _one_rule(rules) for name, rules in fetch["fields"].items()}
    of_source = {"strategy": source["strategy"], "match": source["match"], "fields": rules, "fetch": fetch}
    judge = {**loaded["judge"], "sold_out": loaded["judge"]["sold_out"]["facts"][0]}
    return {**loaded, "extract": {**loaded["extract"], **of_source}, "judge": judge}


def _one_rule(rules: list[dict[str, Any]]) -> dict[str, Any]:
    (rule,) = rules
    (selector,) = rule["selector"] or [None]
    return {**rule, "selector": selector}


def test_every_file_means_what_it_meant(config: Config) -> None:
    """What 0.1 made of these files, its defaults included, was noted in `meaning.json` by 0.1 itself."""
    meaning = json.loads((MADE / "meaning.json").read_text(encoding="utf-8"))
    loaded = config.model_dump(mode="json")
    means = {f"platforms.{name}": as_before(platform) for name, platform in loaded["platforms"].items()}
    means |= {f"settings.{name}": section for name, section in loaded["settings"].items()}
    means |= {"schedule": loaded["schedule"], "alerts": loaded["alerts"]}
    assert list(differing(meaning, means, "")) == []


def test_every_variable_means_what_it_meant(config: Config) -> None:
    """Each is read by its name of 0.1."""
    environment = config.environment
    assert environment.redis_url == ENVIRONMENT["PAGEMILL_REDIS_URL"]
    assert environment.database_url.endswith("://mill@db.example/mill")
    assert environment.catalog_database_url == ENVIRONMENT["PAGEMILL_CATALOG_URL"]
    assert environment.api_secret == ENVIRONMENT["PAGEMILL_API_SECRET"]
    assert (environment.chromium, environment.log_format, environment.log_level) == (
        Path(sys.executable),
        "json",
        "WARNING",
    )
    assert set(environment.alert_urls) == {"TEAM", "DUTY", "HOOK", "PHONE"}


def test_what_moved_to_the_visitor_is_there(config: Config) -> None:
    """`viewport`, `user_agent` and `locale` stood below `navigation`."""
    visitor = config.platforms["shoes"].visitor
    assert visitor.viewport is not None
    assert (visitor.viewport.width, visitor.viewport.height) == (640, 480)
    assert (visitor.user_agent, visitor.locale) == ("catalogue check of example.com", "ko-KR")


def test_each_renamed_key_is_told_with_its_new_name(config: Config) -> None:
    """`pagemill check` and the log of a worker name both."""
    told = {name: platform.outdated for name, platform in config.platforms.items() if platform.outdated}
    renamed = {f"navigation.{name}": f"visitor.{name}" for name in ("viewport", "user_agent", "locale")}
    assert told == {"shoes": renamed}
