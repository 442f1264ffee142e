"""Loads the whole configuration: `pagemill.yaml`, `platforms/*.yaml`, `schedule.yaml`, `alerts.yaml` and the
environment.

It finds the files and collects all mistakes of all files before it reports any. The models in this folder have the
rules; `explain` words the mistakes. Nothing is read at import and nothing is kept: each call reads everything again.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pagemill.config.alert_channels import ADDRESS_PREFIX, address_key
from pagemill.config.alerts import AlertRules
from pagemill.config.environment import read_environment
from pagemill.config.explain import problems_of
from pagemill.config.mistakes import Mistake
from pagemill.config.platform import PLATFORM_NAME, Platform
from pagemill.config.profiles import ProfileName
from pagemill.config.schedule import Schedule
from pagemill.config.settings import Config, Settings
from pagemill.config.yaml_source import YamlSource, dotted, read_yaml
from pagemill.errors import ConfigError, Problem

SETTINGS_FILE = "pagemill.yaml"
PLATFORMS_FOLDER = "platforms"
SCHEDULE_FILE = "schedule.yaml"
ALERTS_FILE = "alerts.yaml"

ModelT = TypeVar("ModelT", bound=BaseModel)


def load_config(
    folder: Path | None = None, environ: Mapping[str, str] = os.environ, *, tells_alerts: bool = False
) -> Config:
    """Reads and checks everything.

    Args:
        folder: the configuration folder; by default the one of `PAGEMILL_CONFIG`, else `./config`.
        environ: the variables to read.
        tells_alerts: whether this process needs the addresses of the alert channels. They are secrets, so other
            processes do without them, and a missing address is no mistake there.

    Raises:
        ConfigError: something is wrong; its `problems` list all mistakes of all files and of the environment.
    """
    environment, found = read_environment(environ, folder)
    problems = list(found)
    where = environment.config_folder
    files = _yaml_files(where, problems)
    if files is None:
        remedy = "create it, or name another folder with PAGEMILL_CONFIG"
        problems.append(Problem(str(where), None, "", "the configuration folder is not there", remedy))
    settings, lines = _read_settings(where / SETTINGS_FILE, files or [], environment.profile, problems)
    platforms = _read_platforms(_yaml_files(where / PLATFORMS_FOLDER, problems) or [], problems)
    urls = environment.alert_urls if tells_alerts else None
    alerts = _read_alerts(where / ALERTS_FILE, files or [], urls, problems)
    schedule = _read_schedule(where / SCHEDULE_FILE, files or [], platforms, alerts, problems)
    if problems:
        raise ConfigError(problems)
    return Config(
        settings=settings,
        platforms=platforms,
        schedule=schedule,
        alerts=alerts or AlertRules(),
        environment=environment,
        settings_lines=lines,
    )


def load_platform_file(path: Path) -> Platform:
    """Reads and checks the file of one platform; its name must be the platform's.

    Raises:
        ConfigError: something is wrong; its `problems` list all mistakes of the file.
    """
    problems: list[Problem] = []
    platform = _read_platform(read_yaml(path), path, problems)
    if platform is None or problems:
        raise ConfigError(problems)
    return platform


def _read_settings(
    path: Path, files: Collection[Path], profile: ProfileName | None, problems: list[Problem]
) -> tuple[Settings, dict[str, int]]:
    """The settings of that file (with another profile, if one is given), and the line of each key. If the file is
    missing or wrong, the defaults."""
    source = read_yaml(path) if path in files else YamlSource(str(path), {})
    if profile is not None and source.data is not None:
        source = replace(source, data={**source.data, "profile": profile})
    settings = _read(source, Settings, problems)
    return settings or Settings(), {dotted(path): line for path, line in source.lines.items()}


def _read_schedule(
    path: Path,
    files: Collection[Path],
    platforms: Mapping[str, Platform],
    alerts: AlertRules | None,
    problems: list[Problem],
) -> Schedule:
    """The schedule of that file, empty without a file. Without `alerts` its channels cannot be checked."""
    if path not in files:
        return Schedule()
    source = read_yaml(path)
    schedule = _read(source, Schedule, problems)
    if schedule is None:
        return Schedule()
    channels = None if alerts is None else alerts.channels
    for mistake in schedule.mistakes(platforms, channels):
        line, key = source.line_of(mistake.path), dotted(mistake.path)
        problems.append(Problem(source.file, line, key, mistake.message, mistake.remedy))
    return schedule


def _read_alerts(
    path: Path, files: Collection[Path], urls: Mapping[str, str] | None, problems: list[Problem]
) -> AlertRules | None:
    """The rules and channels of that file; the default ones without a file; `None` if it has mistakes. With `urls`,
    each channel must have an address of the right form."""
    source = read_yaml(path) if path in files else YamlSource(str(path), {})
    alerts = _read(source, AlertRules, problems)
    if alerts is None or urls is None:
        return alerts
    missing: dict[str, str] = {}
    for name, channel in alerts.channels.items():
        variable = ADDRESS_PREFIX + address_key(name)
        if address_key(name) not in urls:
            missing[name] = variable
            continue
        try:
            channel.check_address(urls[address_key(name)])
        except Mistake as mistake:
            problems.append(Problem("environment", None, variable, mistake.message, mistake.remedy))
    for name, variable in missing.items():
        # A variable with a wrong value was reported already, and counts as not set.
        if not any(problem.path.removesuffix("_FILE") == variable for problem in problems):
            at = ("channels", name)
            remedy = f"set {variable} in the environment, or name a file with {variable}_FILE, or remove the channel"
            problems.append(Problem(source.file, source.line_of(at), ".".join(at), "has no address", remedy))
    for key in sorted(urls.keys() - {address_key(name) for name in alerts.channels}):
        known = ", ".join(alerts.channels) or "none"
        remedy = f"add the channel to {ALERTS_FILE}, or remove the variable; channels are {known}"
        message = f"is the address of a channel that {ALERTS_FILE} does not have"
        problems.append(Problem("environment", None, ADDRESS_PREFIX + key, message, remedy))
    return alerts


def _read_platforms(files: Iterable[Path], problems: list[Problem]) -> dict[str, Platform]:
    platforms: dict[str, Platform] = {}
    first_file: dict[str, Path] = {}
    for path in files:
        source = read_yaml(path)
        platform = _read_platform(source, path, problems)
        name = _name_in(source)
        if name in first_file:
            message = f"platform {name} is described twice, first in {first_file[name].name}"
            problems.append(_at_name(source, message, "give one of the two another name"))
        elif name is not None:
            first_file[name] = path
            if platform is not None:
                platforms[name] = platform
    return platforms


def _yaml_files(folder: Path, problems: list[Problem]) -> list[Path] | None:
    """The folder's YAML files by name; `None` without the folder. Hidden files are left out: editors make them."""
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        problems.append(Problem(str(folder), None, "", f"cannot be read: {error.strerror}", "check who may read it"))
        return []
    for path in files:
        if path.suffix.lower() in (".yaml", ".yml") and path.suffix != ".yaml":
            problems.append(Problem(str(path), None, "", "is not read", f"rename it to {path.stem}.yaml"))
    return [path for path in files if path.suffix == ".yaml"]


def _read_platform(source: YamlSource, path: Path, problems: list[Problem]) -> Platform | None:
    platform = _read(source, Platform, problems)
    name = _name_in(source)
    if name is not None and name != path.stem:
        rename = f"rename the file to {name}.yaml"
        remedy = f"write `platform: {path.stem}`, or {rename}" if PLATFORM_NAME.fullmatch(path.stem) else rename
        problems.append(_at_name(source, f"is {name!r}, but the file is called {path.name}", remedy))
    return platform


def _name_in(source: YamlSource) -> str | None:
    """The name that the file gives its platform, whatever else is wrong; `None` if that cannot be a name."""
    name = (source.data or {}).get("platform")
    return name if isinstance(name, str) and PLATFORM_NAME.fullmatch(name) else None


def _at_name(source: YamlSource, message: str, remedy: str) -> Problem:
    return Problem(source.file, source.line_of(("platform",)), "platform", message, remedy)


def _read(source: YamlSource, model: type[ModelT], problems: list[Problem]) -> ModelT | None:
    problems.extend(source.problems)
    if source.data is None:
        return None
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        problems.extend(problems_of(error, source, model))
        return None
