"""`pagemill check`."""

from __future__ import annotations

import typer
from rich.table import Table

from pagemill import visible
from pagemill.app.parts import DATA_FOLDER
from pagemill.checks.examination import examine
from pagemill.checks.finding import Finding
from pagemill.cli.options import load
from pagemill.cli.wording import counted, output_console
from pagemill.errors import ConfigError


def check() -> None:
    """Examine configuration, browser, Redis, database and memory.

    Prints every mistake in the files with its line, and what `auto` comes to on this machine.
    """
    try:
        config = load("ERROR", tells_alerts=True)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(visible.lines(str(problem)))
        typer.echo(f"{counted(len(error.problems), 'mistake')} in the configuration", err=True)
        raise typer.Exit(error.exit_code) from None
    findings = examine(config, DATA_FOLDER)
    table = Table(show_header=False)
    for finding in findings:
        word = "NOT OK" if not finding.fine else "advice" if finding.is_advice else "ok"
        table.add_row(word, finding.subject, finding.text)
    output_console().print(table)
    raise typer.Exit(_exit_code(findings))


def _exit_code(findings: list[Finding]) -> int:
    return max((finding.exit_code for finding in findings if not finding.fine), default=0)
