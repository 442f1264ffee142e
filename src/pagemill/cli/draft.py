"""`pagemill draft`: only its options. `draft_run` does the work, so that other commands need not load it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def draft(
    name: Annotated[str, typer.Argument(help="The platform's name: config/platforms/NAME.yaml is written.")],
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL", help="Pages of products on sale; three are better than one.")
    ] = None,
    sold_out: Annotated[
        list[str] | None, typer.Option("--sold-out", metavar="URL", help="A sold-out product; may be repeated.")
    ] = None,
    gone: Annotated[
        list[str] | None, typer.Option("--gone", metavar="URL", help="One that is gone; may be repeated.")
    ] = None,
    off_sale: Annotated[
        list[str] | None, typer.Option("--off-sale", metavar="URL", help="One that is not sold; may be repeated.")
    ] = None,
    expect: Annotated[
        str, typer.Option("--expect", metavar="name=...,price=...", help="What the first URL's product has.")
    ] = "",
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Rows of this catalogue, with what they expect.")
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=12, help="How many rows of it.")] = 4,
    device: Annotated[str | None, typer.Option("--device", help="Visit as this device, such as 'iPhone 15'.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="Visit with this language, such as ko-KR.")] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help="Sent with every request; may be repeated."),
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Another host that pages may lead to; may be repeated.")
    ] = None,
    wait_ms: Annotated[
        str, typer.Option("--wait-ms", help="Between two visits, in milliseconds; 0 for a shop of your own.")
    ] = "3000-4000",
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is there; the old one stays as NAME.yaml.before.")
    ] = False,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the file and write none; what came of it goes to standard error.")
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print how far it is and all that was found as JSON lines, and write no file."),
    ] = False,
) -> None:
    """Visit some pages of a shop, each once, and write the platform file that reads them.

    Tries the file on the same pages and prints what it reads of each, from where, and how sure that is. Ends with 1 if
    name, price or status is unsure, or if the trial reads something else. Read the file before you use it: each line
    says why it is there.
    """
    from pagemill.cli.draft_run import Asked, run_draft

    asked = Asked(
        on_sale=urls or [],
        sold_out=sold_out or [],
        off_sale=off_sale or [],
        gone=gone or [],
        expect=expect,
        source=source,
        rows=rows,
        device=device,
        locale=locale,
        headers=header or [],
        hosts=host or [],
        wait_ms=wait_ms,
    )
    run_draft(name, asked, force=force, only_print=only_print, as_json=json)
