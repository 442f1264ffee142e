"""The table of all commands. Each is imported when it is used.

Imported modules stay in memory as long as the process lives, so no command imports what only another one needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

NEW: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
"""Settings of every Typer object."""

_EXAMPLES = {
    "init": "pagemill init myshops",
    "demo": "pagemill demo --products 300 --keep",
    "storefront": "pagemill storefront --port 8900",
    "enqueue": "pagemill enqueue catalogue.csv --platform musinsa --wait",
    "worker": "pagemill worker --platform musinsa --platform ably",
    "scheduler": "pagemill scheduler",
    "forget": "pagemill forget --platform musinsa --tag brand=Nike",
    "runs": "pagemill runs --limit 5",
    "cancel": "pagemill cancel 20261121-010203-musinsa-ab12",
    "status": "pagemill status --watch",
    "results": "pagemill results --verdict changed --format csv > changed.csv",
    "history": "pagemill history 1234567 --platform musinsa",
    "apply": "pagemill apply 20261121-010203-musinsa-ab12 --yes",
    "report": "pagemill report --format html --output report.html",
    "prune": "pagemill prune --days 90 --yes",
    "try": "pagemill try https://www.musinsa.com/products/1 --platform musinsa",
    "draft": "pagemill draft myshop https://www.myshop.com/p/1 https://www.myshop.com/p/2",
    "mend": "pagemill mend musinsa > musinsa.patch && patch -p1 < musinsa.patch",
    "check": "PAGEMILL_CONFIG=/etc/pagemill pagemill check",
    "api": "pagemill api --host 127.0.0.1 --port 8003",
    "token": "pagemill token --role admin --expires 12h",
}
"""One example of each command, in the order of `pagemill --help`."""

_MODULES = {"try": "try_url"}
"""Commands whose module and function have another name than the command."""


class Commands(Mapping[str, Any]):
    """Typer's commands by name; a command's module is imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_EXAMPLES)

    def __len__(self) -> int:
        return len(_EXAMPLES)


class LoadingGroup(TyperGroup):
    """The command `pagemill`, with all commands in it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nobody adds one


@cache
def _command(name: str) -> Any:
    example = _EXAMPLES[name]
    function = _MODULES.get(name, name)
    alone = typer.Typer(**NEW)
    alone.command(name, epilog=f"Example: {example}")(getattr(import_module(f"pagemill.cli.{function}"), function))
    return typer.main.get_command(alone)
