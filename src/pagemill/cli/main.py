"""`pagemill`: the program, and how it reports errors.

An error that pagemill raises on purpose is printed as its message, without a traceback. It ends the process with its
exit code: 1 something failed, 2 usage or configuration, 69 a service is out of reach.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from pagemill import __version__, visible
from pagemill.cli.commands import NEW, LoadingGroup
from pagemill.cli.ending import end_with
from pagemill.cli.first_process import step_down
from pagemill.config.child_environment import first_process_environment
from pagemill.errors import PagemillError

app = typer.Typer(
    name="pagemill",
    help="Validates product catalogues against live shop pages with real browsers, in flat memory.",
    cls=LoadingGroup,
    no_args_is_help=True,
    **NEW,
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


def run() -> None:
    """The entry point: runs a command and ends the process with its exit code.

    An error of the operating system, such as a full disk, is also printed as one line. If a reader such as `head`
    closes the pipe, typer ends the command silently with 1, because its output is incomplete.
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
