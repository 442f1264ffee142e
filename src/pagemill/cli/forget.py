"""`pagemill forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from pagemill.app.parts import DATA_FOLDER, chosen_platforms
from pagemill.broker.connection import open_redis
from pagemill.cli.options import PlatformName, load
from pagemill.errors import UsageError
from pagemill.revisit.policy import EVERYTHING
from pagemill.revisit.visit_memory import VisitMemory


def forget(
    platform: PlatformName,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only products with this field=value; may be repeated. Default: all.")
    ] = None,
) -> None:
    """Have products visited again that were seen lately (revisit in the platform's file)."""
    config = load("WARNING")
    rules = chosen_platforms(config, [platform])[platform].revisit
    for each in tag or []:
        if each.partition("=")[0] not in rules.tags or "=" not in each:
            known = ", ".join(f"{name}=..." for name in rules.tags) or "none: add fields to revisit.tags"
            raise UsageError(f"{each!r} is not a tag of {platform}: known are {known}")
    with open_redis(config.environment.redis_url, DATA_FOLDER) as redis:
        for each in tag or [EVERYTHING]:
            VisitMemory(redis).invalidate(platform, each)
    typer.echo(f"{platform}: {', '.join(tag or ['every product'])} will be visited again")
