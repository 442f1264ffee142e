"""What several commands share: loading the configuration, setting up logging, and common options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pagemill.config.loading import load_config
from pagemill.config.settings import Config
from pagemill.errors import UsageError
from pagemill.telemetry.logging import set_up_logging

PlatformName = Annotated[str, typer.Option("--platform", help="A platform: config/platforms/NAME.yaml.")]
PlatformNames = Annotated[
    list[str] | None, typer.Option("--platform", help="Only this platform; may be repeated. Default: all.")
]


@contextmanager
def needs_extra(name: str) -> Iterator[None]:
    """For imports of libraries that only an extra of the package installs.

    Raises:
        UsageError: the library is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'pagemill[{name}]'") from error


def load(log_level: str | None = None, *, folder: Path | None = None, tells_alerts: bool = False) -> Config:
    """Loads the configuration and sets up logging; `log_level` beats the configured level. See `load_config`.

    Raises:
        ConfigError: the configuration has mistakes.
    """
    config = load_config(folder, tells_alerts=tells_alerts)
    environment = config.environment
    set_up_logging(environment.log_format, log_level or environment.log_level, folder=environment.log_folder)
    return config
