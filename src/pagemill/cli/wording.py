"""How commands print: numbers with nouns, and tables that fit the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pagemill import visible

_PIPED_WIDTH = 200


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 product`, `2 products`; `plural` for nouns without a plural s."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


class PlainConsole(Console):
    """Prints text as it is: rich's markup is off, and characters that control the terminal are escaped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """rich's hook, called for every text that is no `Text` object yet."""
        return super().render_str(visible.lines(text), **options)


def output_console() -> Console:
    """For tables on standard output: as wide as the terminal, or wider for programs that read them."""
    return _console(stderr=False)


def error_console() -> Console:
    """The same for standard error, if standard output is read by a program."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = PlainConsole(stderr=stderr)
    return console if console.is_terminal else PlainConsole(width=_PIPED_WIDTH, stderr=stderr)


def table(title: str, *columns: str) -> Table:
    """An empty table. Long cells are folded, but names of runs, workers and processes are not."""
    made = Table(title=title, title_justify="left", expand=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column in ("run", "worker", "process"))
    return made
