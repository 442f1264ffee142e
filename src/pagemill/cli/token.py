"""`pagemill token`."""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pagemill.cli.options import needs_extra
from pagemill.config.environment import MAKE_KEY, read_environment
from pagemill.config.settings import Environment
from pagemill.control_room.frame.roles import Role
from pagemill.errors import ConfigError, TokenExpired, TokenRefused, UsageError
from pagemill.results.revoked_tokens import RevokedTokens
from pagemill.results.store import ResultStore

_UNITS_S = {"m": 60, "h": 3600, "d": 86400}
_LONGEST_S = 30 * 86400
_DURATION = re.compile(r"([0-9]{1,6})([mhd])")
_TOLD = "a running API takes notice within 5 s"


def token(
    role: Annotated[
        Role | None, typer.Option(help="Make one. What it allows: planner reads, admin reads and changes.")
    ] = None,
    expires: Annotated[str, typer.Option(help="How long it lasts: 30m, 12h or 7d; at most 30d.")] = "12h",
    revoke: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Let this one count no more; - reads it from standard input.")
    ] = None,
    revoke_all: Annotated[bool, typer.Option("--revoke-all", help="Let all made until now count no more.")] = False,
) -> None:
    """Print a token for the control API and its dashboard, or revoke some.

    Needs the secret that the API runs with; to revoke, its database too. No other configuration.
    """
    if (role is not None) + (revoke is not None) + revoke_all != 1:
        raise UsageError("say what is wanted, one of: --role for a new token, --revoke TOKEN, or --revoke-all")
    environment, problems = read_environment(os.environ)
    if problems:
        raise ConfigError(problems)
    if not environment.api_secret:
        raise UsageError(
            "no secret to sign with: set PAGEMILL_API_SECRET, or PAGEMILL_API_SECRET_FILE, to the one that the API "
            f"runs with; make one with {MAKE_KEY}"
        )
    if role is not None:
        _issue(environment, role, seconds_of(expires))
    elif revoke is not None:
        _revoke(environment, sys.stdin.readline().strip() if revoke == "-" else revoke)
    else:
        _revoke_all(environment)


def _issue(environment: Environment, role: Role, expires_s: int) -> None:
    with needs_extra("api"):
        from pagemill.control_room.frame.tokens import issue
    typer.echo(issue(environment.api_secret, role, expires_s, datetime.now(UTC), role.value))


def _revoke(environment: Environment, text: str) -> None:
    with needs_extra("api"):
        from pagemill.control_room.frame.tokens import verify
    now = datetime.now(UTC)
    try:
        access = verify(environment.api_secret, text, now)
    except TokenExpired:
        typer.echo("it has expired already: nothing to revoke")
        return
    except TokenRefused as error:
        raise UsageError(f"nothing is revoked: {error}") from None
    assert access.expires_at is not None
    with ResultStore(environment.database_url) as store:
        RevokedTokens(store).revoke(access.token_id, access.expires_at, now)
    typer.echo(f"the token ({access.role}) is revoked; {_TOLD}")


def _revoke_all(environment: Environment) -> None:
    now = datetime.now(UTC)
    # A token's time is in whole seconds. One made right after this command must stay valid.
    made_before = now.replace(microsecond=0) + timedelta(seconds=1)
    with ResultStore(environment.database_url) as store:
        RevokedTokens(store).revoke_all(made_before, made_before + timedelta(seconds=_LONGEST_S), now)
    while (left_s := (made_before - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(left_s)
    typer.echo(f"all tokens made until now are revoked; {_TOLD}")


def seconds_of(expires: str) -> int:
    """The seconds that `30m`, `12h` or `7d` stand for.

    Raises:
        UsageError: the text is none of these, or more than 30 days.
    """
    match = _DURATION.fullmatch(expires)
    duration_s = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if duration_s == 0:
        raise UsageError(f"--expires {expires[:40]!r} is no duration: write minutes, hours or days, as 30m, 12h or 7d")
    if duration_s > _LONGEST_S:
        raise UsageError(f"--expires {expires[:40]} is too long: write 30d or less, and make a new token in time")
    return duration_s
