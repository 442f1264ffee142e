"""`pagemill token`."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from pagemill.cli.options import needs_extra
from pagemill.config.environment import MAKE_KEY, read_environment
from pagemill.errors import ConfigError, UsageError
from pagemill.ops.api.frame.roles import Role

_UNITS_S = {"m": 60, "h": 3600, "d": 86400}
_LONGEST_S = 30 * 86400
_DURATION = re.compile(r"([0-9]{1,6})([mhd])")


def token(
    role: Annotated[Role, typer.Option(help="What it allows: planner reads, admin reads and changes.")],
    expires: Annotated[str, typer.Option(help="How long it lasts: 30m, 12h or 7d; at most 30d.")] = "12h",
) -> None:
    """Print a token for the control API and its dashboard.

    Needs the secret that the API runs with, and no other configuration.
    """
    with needs_extra("api"):
        from pagemill.ops.api.frame.tokens import issue

    expires_s = seconds_of(expires)
    environment, problems = read_environment(os.environ)
    if problems:
        raise ConfigError(problems)
    if not environment.api_secret:
        raise UsageError(
            "no secret to sign with: set PAGEMILL_API_SECRET, or PAGEMILL_API_SECRET_FILE, to the one that the API "
            f"runs with; make one with {MAKE_KEY}"
        )
    typer.echo(issue(environment.api_secret, role, expires_s, datetime.now(UTC), role.value))


def seconds_of(expires: str) -> int:
    """What `30m`, `12h` or `7d` means in seconds.

    Raises:
        UsageError: it is none of these, or longer than 30 days.
    """
    match = _DURATION.fullmatch(expires)
    duration_s = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if duration_s == 0:
        raise UsageError(f"--expires {expires[:40]!r} is no duration: write minutes, hours or days, as 30m, 12h or 7d")
    if duration_s > _LONGEST_S:
        raise UsageError(f"--expires {expires[:40]} is too long: write 30d or less, and make a new token in time")
    return duration_s
