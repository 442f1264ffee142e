"""`pagemill`: all commands, and what becomes of errors.

An error that pagemill raises on purpose is printed as its message, without a traceback, and ends with its exit code:
1 something failed, 2 usage or configuration, 69 a service is out of reach.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from pagemill import __version__, visible
from pagemill.cli import (
    api,
    apply,
    cancel,
    check,
    demo,
    draft,
    enqueue,
    forget,
    history,
    init,
    mend,
    prune,
    report,
    results,
    runs,
    scheduler,
    status,
    storefront,
    token,
    try_url,
    worker,
)
from pagemill.cli.first_process import step_down
from pagemill.cli.wording import end_with
from pagemill.config.child_environment import first_process_environment
from pagemill.errors import PagemillError

app = typer.Typer(
    name="pagemill",
    help="Validates product catalogues against live shop pages with real browsers, in flat memory.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pagemill {__version__}")
        raise typer.Exit


@app.callback(epilog="Example: pagemill demo")
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Validates product catalogues against live shop pages with real browsers, in flat memory."""


app.command("init", epilog="Example: pagemill init myshops")(init.init)
app.command("demo", epilog="Example: pagemill demo --products 300 --keep")(demo.demo)
app.command("storefront", epilog="Example: pagemill storefront --port 8900")(storefront.storefront)
app.command("enqueue", epilog="Example: pagemill enqueue catalogue.csv --platform musinsa --wait")(enqueue.enqueue)
app.command("worker", epilog="Example: pagemill worker --platform musinsa --platform ably")(worker.worker)
app.command("scheduler", epilog="Example: pagemill scheduler")(scheduler.scheduler)
app.command("forget", epilog="Example: pagemill forget --platform musinsa --tag brand=Nike")(forget.forget)
app.command("runs", epilog="Example: pagemill runs --limit 5")(runs.runs)
app.command("cancel", epilog="Example: pagemill cancel 20261121-010203-musinsa-ab12")(cancel.cancel)
app.command("status", epilog="Example: pagemill status --watch")(status.status)
app.command("results", epilog="Example: pagemill results --verdict changed --format csv > changed.csv")(results.results)
app.command("history", epilog="Example: pagemill history 1234567 --platform musinsa")(history.history)
app.command("apply", epilog="Example: pagemill apply 20261121-010203-musinsa-ab12 --yes")(apply.apply)
app.command("report", epilog="Example: pagemill report --format html --output report.html")(report.report)
app.command("prune", epilog="Example: pagemill prune --days 90 --yes")(prune.prune)
app.command("try", epilog="Example: pagemill try https://www.musinsa.com/products/1 --platform musinsa")(
    try_url.try_url
)
app.command("draft", epilog="Example: pagemill draft myshop https://www.myshop.com/p/1 https://www.myshop.com/p/2")(
    draft.draft
)
app.command("mend", epilog="Example: pagemill mend musinsa > musinsa.patch && patch -p1 < musinsa.patch")(mend.mend)
app.command("check", epilog="Example: PAGEMILL_CONFIG=/etc/pagemill pagemill check")(check.check)
app.command("api", epilog="Example: pagemill api --host 127.0.0.1 --port 8003")(api.api)
app.command("token", epilog="Example: pagemill token --role admin --expires 12h")(token.token)


def run() -> None:
    """The entry point: runs a command and ends the process with its exit code.

    What the operating system refuses (a full disk, a folder that is not there) is told in one line too. A reader that
    has seen enough, as `head` has, ends a command quietly: typer sees to that, with 1, as the work was cut short.
    """
    step_down(first_process_environment())
    try:
        app()
    except (PagemillError, OSError) as error:
        if "--debug" in sys.argv:
            sys.stderr.write(visible.lines(traceback.format_exc()))
        end_with(error)
    except KeyboardInterrupt:
        sys.exit(130)
