"""`pagemill history`."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from pagemill.app.parts import result_store
from pagemill.cli.options import load
from pagemill.cli.result_output import ExcelOption, FormatOption, ResultFormat, chosen_format, output
from pagemill.cli.wording import output_console
from pagemill.errors import UsageError
from pagemill.results.export import write_csv, write_jsonl
from pagemill.results.product_history import product_history
from pagemill.results.tables import write_history_table


def history(
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Its id in the catalogue.")],
    platform: Annotated[str | None, typer.Option("--platform", help="Only this platform's product.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 20,
    form: FormatOption = None,
    excel: ExcelOption = False,
) -> None:
    """Write what became of a product in each run, the newest first: when, verdict, price and other facts."""
    chosen_form = chosen_format(form, excel=excel)
    config = load("WARNING")
    with result_store(config) as store:
        found = list(islice(product_history(store, product, platform), limit + 1))
    if not found:
        whose = f" of {platform}" if platform else ""
        raise UsageError(f"there is no result of a product {product}{whose}: PRODUCT is an id of the catalogue")
    shown = found[:limit]
    with output(excel=excel) as stream:
        if chosen_form is ResultFormat.TABLE:
            write_history_table(shown, stream, width=output_console().width)
        elif chosen_form is ResultFormat.JSONL:
            write_jsonl(shown, stream)
        else:
            write_csv(shown, stream, excel=excel)
    if len(found) > limit:
        typer.echo("there are older ones: --limit shows more", err=True)
