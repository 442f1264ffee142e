"""`pagemill draft`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from pagemill.app.parts import build_pool, running_loop
from pagemill.browser.pool import BrowserPool
from pagemill.cli.draft_pages import asked_pages
from pagemill.cli.draft_report import print_report, shortcomings
from pagemill.cli.options import load
from pagemill.cli.wording import error_console, output_console
from pagemill.config.loading import PLATFORMS_FOLDER, load_platform_file
from pagemill.config.mistakes import Mistake
from pagemill.config.platform import Platform
from pagemill.config.section import MsRange, read_ms_range
from pagemill.config.visitor.needs import visitor_needs
from pagemill.drafting.choose import Draft
from pagemill.drafting.choose import draft as choose
from pagemill.drafting.evidence import Role
from pagemill.drafting.gather import AskedPage, Gathering, preliminary, refused_pages
from pagemill.drafting.probe import probe_pages
from pagemill.drafting.trial import TriedPage, try_draft
from pagemill.errors import UsageError, VisitFailed
from pagemill.guard.scratch import scratch_folder

_PER_PAGE_S = 90.0
_CLOSE_S = 60.0


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
) -> None:
    """Visit some pages of a shop, each once, and write the platform file that reads them.

    Tries the file on the same pages and prints what it reads of each, from where, and how sure that is. Ends with 1 if
    name, price or status is unsure, or if the trial reads something else. Read the file before you use it: each line
    says why it is there.
    """
    config = load("WARNING")
    visitor = _visitor(device, locale, header or [])
    others = {Role.SOLD_OUT: sold_out or [], Role.OFF_SALE: off_sale or [], Role.GONE: gone or []}
    pace = _pace(wait_ms)
    file = config.environment.config_folder / PLATFORMS_FOLDER / f"{name}.yaml"
    if file.exists() and not (force or only_print):
        raise UsageError(f"{file} is there already: --force replaces it, --print writes none")
    pages = asked_pages(urls or [], others, expect, source, rows)
    platform = _preliminary(name, pages, visitor, host or [])
    secrets = visitor_needs([platform], config.environment)
    with scratch_folder(), running_loop() as loop, build_pool(config, {name: platform}, secrets, loop) as pool:
        loop.call(pool.resize, len(pages))
        work = _draft(pool, platform, pages, pace, visitor, host or [])
        drafted, tried = loop.run(work, _PER_PAGE_S * len(pages), "draft the platform's file")
    _check(name, drafted.text)
    if only_print:
        typer.echo(drafted.text)
    else:
        _write(file, drafted.text)
    console = error_console() if only_print else output_console()
    print_report(console, drafted, tried)
    if not only_print:
        console.print(f"{file} is written")
    if lacking := shortcomings(drafted, tried):
        console.print("not good enough yet:")
        for line in lacking:
            console.print(f"  {line}")
        raise typer.Exit(1)


def _pace(text: str) -> MsRange:
    try:
        return read_ms_range(text)
    except Mistake as mistake:
        raise UsageError(f"--wait-ms: {mistake}") from mistake


def _visitor(device: str | None, locale: str | None, headers: Sequence[str]) -> dict[str, Any]:
    """The section of that name; empty for a browser's own ways."""
    found: dict[str, str] = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise UsageError(f"--header {header!r} is no header: write 'Referer: https://www.shop.com/'")
        found[name.strip()] = value.strip()
    said = {"device": device, "locale": locale, "headers": found}
    return {key: value for key, value in said.items() if value}


def _preliminary(name: str, pages: Sequence[AskedPage], visitor: dict[str, Any], hosts: Sequence[str]) -> Platform:
    try:
        return preliminary(name, pages, visitor, more_hosts=hosts)
    except ValidationError as error:
        first = error.errors()[0]
        cause = first.get("ctx", {}).get("error", first["msg"])
        raise UsageError(f"{'.'.join(str(part) for part in first['loc'])}: {cause}") from error


async def _draft(
    pool: BrowserPool,
    platform: Platform,
    pages: Sequence[AskedPage],
    pace: MsRange,
    visitor: dict[str, Any],
    hosts: Sequence[str],
) -> tuple[Draft, list[TriedPage]]:
    gathering = Gathering(pool, platform, pace)
    try:
        evidence = await gathering.visit_all(pages)
        if refused := refused_pages(evidence):
            raise VisitFailed(refused)
        leases = [page.lease for page in gathering.pages]
        drafted = await choose(
            platform.platform,
            evidence,
            lambda selectors: probe_pages(leases, selectors),
            wait_time_ms=str(pace),
            visitor=visitor,
            more_hosts=hosts,
        )
        return drafted, await try_draft(drafted.platform, gathering.pages, wait_ms=pace, proxies=pool.proxies)
    finally:
        await gathering.close()


def _check(name: str, text: str) -> None:
    """That it is read as a platform file of that name.

    Raises:
        ConfigError: it is not.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        load_platform_file(path)


def _write(file: Path, text: str) -> None:
    """Puts it there at once, and what was there aside."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        if file.exists():
            file.rename(f"{file}.before")
        new.rename(file)
    finally:
        new.unlink(missing_ok=True)
