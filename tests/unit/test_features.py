"""Holds docs/features.md to the program: what a row names, the program has.

Code in its columns `here` and `what differs, and why` is this project's, and written so that it can be looked up:

    GET /memory/history?hours=                    a path of the API, with a parameter
    GET /memory/status: status, memory_percent    with fields of its answer, or of what is sent
    guard.warning_percent                         a setting
    pagemill worker --processes N                 a command with its options
    docker-compose.yml: services.worker.shm_size  a key of a YAML file
    pagemill.memory.force_cleanup                 a Python name

and single words: metrics, events, alert rules, variables, files. The first column has the words of those who asked.
Links are `test_docs`'.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import typer.main
import yaml
from fastapi import FastAPI
from pydantic import BaseModel
from redis import Redis
from starlette.routing import Match

from pagemill.browser.flags import Machine, launch_options
from pagemill.cli.main import app as cli
from pagemill.config.alert_channels import ADDRESS_PREFIX, AlertChannel
from pagemill.config.alert_metrics import METRICS
from pagemill.config.alerts import AlertRule, shipped_rules
from pagemill.config.environment import VARIABLES
from pagemill.config.platform import Platform
from pagemill.config.profiles import PROFILES
from pagemill.config.schedule import Schedule
from pagemill.config.settings import BrowserSettings, Config, Environment, Settings
from pagemill.config.visitor.secrets import CREDENTIALS_PREFIX, PROXY_PREFIX
from pagemill.control_room.api import live
from pagemill.control_room.api.server import create_api
from pagemill.control_room.metrics.text import OwnFigures, metrics_text
from pagemill.fleet.shared_cache import Lookups
from pagemill.guard.pressure import PressureLevel
from pagemill.model import ConnectionCounts
from pagemill.results.store import ResultStore
from pagemill.telemetry import events, log_files
from tests.unit.control_room.test_prometheus_files import Still, worker
from tests.unit.test_docs import ROOT, settings_of

FEATURES = ROOT / "docs" / "features.md"
HEADER = ["asked for", "here", "what differs, and why"]
NOT_HERE = "not here"

_API = re.compile(r"(GET|POST|PUT) (/[^\s?:]*)(?:\?(\w+)=)?(?:: (.+))?")
_YAML = re.compile(r"([\w./-]+\.ya?ml): ([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was asked for."""

    line: int
    asked: str
    here: str
    differs: str

    def code(self) -> list[str]:
        """What it names of this project."""
        return re.findall(r"`([^`]+)`", f"{self.here} {self.differs}")


def rows() -> list[Row]:
    """Of all tables of the document."""
    found = []
    for number, line in enumerate(FEATURES.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells != HEADER and not line.startswith("|--"):
            assert len(cells) == len(HEADER), f"line {number} has {len(cells)} columns"
            found.append(Row(number, *cells))
    return found


@cache
def api() -> FastAPI:
    """The real one; nothing is asked of Redis and the database that it would have."""
    config = Config(settings=Settings(), platforms={}, environment=Environment())
    return create_api(config, Redis(unix_socket_path="none"), ResultStore("sqlite:///none.db"), "features")


def names_of(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The dotted names of all fields below, those in the envelope's `data` without it."""
    if "$ref" in schema:
        schema = api().openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from names_of(part, above)
    for name, inner in schema.get("properties", {}).items():
        path = f"{above}{name}"
        yield path.removeprefix("data.")
        yield from names_of(inner, f"{path}.")


def is_of_the_api(code: str) -> bool:
    """Method and path, and its parameter or fields where some are named."""
    match = _API.fullmatch(code)
    if match is None:
        return False
    method, path, parameter, fields = match.groups()
    operation = api().openapi()["paths"].get(path, {}).get(method.lower())
    if operation is None:  # a page
        asked: dict[str, Any] = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        return not (parameter or fields) and any(route.matches(asked)[0] is Match.FULL for route in api().routes)
    contents = [operation.get("requestBody", {}), *operation["responses"].values()]
    schemas = [content["schema"] for each in contents for content in each.get("content", {}).values()]
    told = {name for schema in schemas for name in names_of(schema)}
    parameters = {each["name"] for each in operation.get("parameters", ())}
    return (not parameter or parameter in parameters) and set(fields.split(", ") if fields else ()) <= told


def is_command(code: str) -> bool:
    """A command of pagemill with options that it has, or a target of make."""
    program, name, *options = [*code.split(), "", ""]
    if program == "make":
        return re.search(rf"^{re.escape(name)}:", (ROOT / "Makefile").read_text(), re.MULTILINE) is not None
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    if program != "pagemill" or name not in commands:
        return False
    known = {option for parameter in commands[name].params for option in parameter.opts}
    return {option for option in options if option.startswith("-")} <= known


def is_importable(code: str) -> bool:
    """A module, or what stands in one."""
    if not re.fullmatch(r"pagemill(\.\w+)+", code):
        return False
    try:
        pkgutil.resolve_name(code)
    except (ImportError, AttributeError):
        return False
    return True


def is_in_yaml(code: str) -> bool:
    """A file of the project, and a key in it."""
    match = _YAML.fullmatch(code)
    if match is None or not (ROOT / match[1]).is_file():
        return False
    found = yaml.safe_load((ROOT / match[1]).read_text(encoding="utf-8"))
    for key in match[2].split("."):
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True


def is_file(code: str) -> bool:
    """Of the project, by its path from the top."""
    return re.fullmatch(r"[\w./-]+", code) is not None and (ROOT / code).is_file()


@cache
def settings() -> frozenset[str]:
    """Every key that a file may have, and every section."""
    models: dict[type[BaseModel], str] = {
        Settings: "",
        Platform: "",
        Schedule: "",
        AlertRule: "rules.NAME.",
        AlertChannel: "channels.NAME.",
    }
    keys = {path for model, above in models.items() for path, _default in settings_of(model, above)}
    return frozenset(keys | {key.rpartition(".")[0] for key in keys} - {""})


@cache
def metrics() -> frozenset[str]:
    """Every name in the text that Prometheus reads."""
    process = OwnFigures({"redis": ConnectionCounts(1, 1, 2)}, {"picture": Lookups(1, 1)})
    text = metrics_text(Still(worker("w1")), list, process=process)[0].decode()
    names = re.findall(r"^# TYPE (\w+)|^(\w+)\{", text, re.MULTILINE)
    return frozenset(name for pair in names for name in pair if name)


@cache
def flags() -> frozenset[str]:
    """Every flag that Chromium may be launched with, or that is kept from it, without its value."""
    plain = BrowserSettings(sandbox=False, zygote=False, dev_shm=True)
    options = launch_options(plain, Machine(0, can_sandbox=False), 4, ("image", "font"), 512)
    return frozenset(flag.partition("=")[0] for flag in (*options.args, *options.ignore_default_args))


@cache
def words() -> frozenset[str]:
    """What is named by one word, or by a fixed text."""
    alerts = yaml.safe_load((ROOT / "docker" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return frozenset(
        {
            *(value for name, value in vars(events).items() if name.isupper()),
            *(rule["alert"] for group in alerts for rule in group["rules"]),
            *re.findall(r'"([a-z]+:[a-z]+)"', inspect.getsource(live)),
            *(f"{prefix}<NAME>" for prefix in (ADDRESS_PREFIX, PROXY_PREFIX, CREDENTIALS_PREFIX)),
            *(level.word for level in PressureLevel),
            *re.findall(r'"(\w+\.log)"', inspect.getsource(log_files)),
            *METRICS,
            *PROFILES,
            *VARIABLES,
            *shipped_rules(),
        }
    )


LOOKS: tuple[Callable[[str], bool], ...] = (
    is_of_the_api,
    is_command,
    is_importable,
    is_in_yaml,
    is_file,
    lambda code: code in settings(),
    lambda code: code in metrics(),
    lambda code: code in flags(),
    lambda code: code in words(),
)


def is_known(code: str) -> bool:
    """Whether the project has what is named so."""
    return any(look(code) for look in LOOKS)


def test_what_a_row_names_is_there() -> None:
    """A path, a key, a metric or a command that goes away takes its row along."""
    found = rows()
    assert len(found) > 100
    assert [f"line {row.line}: {code}" for row in found for code in row.code() if not is_known(code)] == []


def test_every_row_says_where_it_is_or_why_it_is_not() -> None:
    """By code or a link; what is not here has its reason beside it."""
    for row in rows():
        assert row.asked, f"line {row.line} asks for nothing"
        if row.here == NOT_HERE:
            assert row.differs, f"line {row.line} does not say why"
        else:
            assert re.search(r"`|\]\(", row.here), f"line {row.line} does not say where"


@pytest.mark.parametrize(
    "code",
    [
        "GET /memory/status",
        "GET /memory/history?hours=",
        "GET /memory/stats: current.memory_percent, trend.avg_usage, is_running",
        "PUT /api/performance/thresholds: thresholds.responseTime.warning",
        "GET /performance/dashboard",
        "guard.warning_percent",
        "workflow.rate_limit.wait_time_ms",
        "rules.NAME.threshold",
        "memory_gc_pause_ns",
        "pagemill_worker_connections",
        "pagemill_api_connections",
        "Page Rotation",
        "alert:critical",
        "MemoryLeakDetected",
        "memory-runs-out",
        "pagemill worker --processes N",
        "make soak",
        "pagemill.memory.force_cleanup",
        "docker-compose.yml: services.worker.shm_size",
        "PAGEMILL_ALERT_URL_<NAME>",
        "--disable-gpu",
        "error.log",
    ],
)
def test_each_kind_of_name_is_found(code: str) -> None:
    """So that none is unknown for want of looking."""
    assert is_known(code)


@pytest.mark.parametrize(
    "code",
    [
        "GET /memory/nothing",
        "PUT /memory/status",
        "GET /memory/history?days=",
        "GET /memory/status: status, colour",
        "GET /performance/nothing",
        "guard.warning",
        "memory_gc_pause_ms",
        "Page Turn",
        "alert:old",
        "MemoryLeakFixed",
        "memory-runs-in",
        "pagemill work",
        "pagemill worker --threads N",
        "make money",
        "pagemill.memory.forget_everything",
        "pagemill.nothing.at_all",
        "docker-compose.yml: services.worker.size",
        "docker/nothing.conf",
        "PAGEMILL_NOTHING",
        "--enable-gpu",
        "app.log",
        "memory_percent_of_nothing",
        "",
    ],
)
def test_a_name_that_is_not_there_is_noticed(code: str) -> None:
    """Of each kind one that looks right."""
    assert not is_known(code)
