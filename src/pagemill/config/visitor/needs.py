"""Collects what the visitors of some platforms need besides YAML, or reports everything that is missing.

Only processes that visit shops need it; others start without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pagemill.config.mistakes import Mistake
from pagemill.config.platform import Platform
from pagemill.config.settings import Environment
from pagemill.config.visitor.secrets import CREDENTIALS_PREFIX, PROXY_PREFIX, VisitorSecrets
from pagemill.config.visitor.storage_state import StorageState, read_storage_state
from pagemill.config.yaml_source import KeyPath, read_yaml
from pagemill.errors import ConfigError, Problem


def visitor_needs(platforms: Iterable[Platform], environment: Environment) -> VisitorSecrets:
    """The secrets and sessions that these platforms' visitors need.

    Raises:
        ConfigError: a variable is not set, or a file cannot be read; all of them are listed, with their lines.
    """
    problems: list[Problem] = []
    storage: dict[str, StorageState] = {}
    for platform in platforms:
        visitor = platform.visitor
        places: list[tuple[KeyPath, tuple[str, ...], str, Mapping[str, object]]] = [
            (("proxies",), visitor.proxies, PROXY_PREFIX, environment.proxies),
            (_key_of(platform), visitor.secret_names, CREDENTIALS_PREFIX, environment.credentials),
        ]
        for key, names, prefix, known in places:
            for name in names:
                if name not in known:
                    variable = f"{prefix}{name}"
                    remedy = f"set it in the environment, or name a file with {variable}_FILE"
                    problems.append(_problem(environment, platform, key, f"{variable} is not set", remedy))
        for certificate in visitor.client_certificates:
            for file in (certificate.cert_file, certificate.key_file, certificate.pfx_file):
                if file is not None and not file.is_file():
                    message, remedy = f"{file} is not there", "correct the path, which counts from where pagemill runs"
                    problems.append(_problem(environment, platform, ("client_certificates",), message, remedy))
        if visitor.storage_state is not None:
            try:
                storage[platform.platform] = read_storage_state(visitor.storage_state)
            except Mistake as mistake:
                key = ("storage_state",)
                problems.append(_problem(environment, platform, key, mistake.message, mistake.remedy))
    if problems:
        raise ConfigError(problems)
    return VisitorSecrets(environment.proxies, environment.credentials, storage)


def _key_of(platform: Platform) -> KeyPath:
    return ("credentials",) if platform.visitor.credentials is not None else ("client_certificates",)


def _problem(environment: Environment, platform: Platform, key: KeyPath, message: str, remedy: str) -> Problem:
    path = Path(environment.config_folder) / "platforms" / f"{platform.platform}.yaml"
    whole = ("visitor", *key)
    line = read_yaml(path).line_of(whole) if path.is_file() else None
    return Problem(str(path), line, ".".join(str(part) for part in whole), message, remedy)
