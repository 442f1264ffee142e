"""How commands say things: numbers with their nouns, tables that fit."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pagemill import visible

_PIPED_WIDTH = 200


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 product`, `2 products`; `plural` where an s does not do."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


class PlainConsole(Console):
    """Shows text as it is: no markup in it counts, and none of it steers the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """What rich makes of each text that is no `Text` yet, wherever it stands."""
        return super().render_str(visible.lines(text), **options)


def output_console() -> Console:
    """For tables on standard output: as wide as the terminal, or wide enough for programs that read them."""
    return _console(stderr=False)


def error_console() -> Console:
    """The same on standard error, where standard output is for programs."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = PlainConsole(stderr=stderr)
    return console if console.is_terminal else PlainConsole(width=_PIPED_WIDTH, stderr=stderr)


def table(title: str, *columns: str) -> Table:
    """An empty one, whose long cells are folded and whose names are not."""
    made = Table(title=title, title_justify="left", expand=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in ("run", "worker", "process"))
    return made
