"""Runs `pagemill draft`: visits pages, chooses fields, tries them on the pages, writes the file and reports."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from pagemill.app.browsing import build_pool, running_loop
from pagemill.browser.pool import BrowserPool
from pagemill.cli.draft_json import tell_draft, tell_visited
from pagemill.cli.draft_pages import asked_pages
from pagemill.cli.draft_report import print_report, shortcomings
from pagemill.cli.options import load
from pagemill.cli.platform_file import replace_file
from pagemill.cli.wording import error_console, output_console
from pagemill.config.loading import PLATFORMS_FOLDER, load_platform_file
from pagemill.config.mistakes import Mistake
from pagemill.config.platform import Platform
from pagemill.config.section import MsRange, read_ms_range
from pagemill.config.visitor.needs import visitor_needs
from pagemill.drafting.choose import Draft
from pagemill.drafting.choose import draft_platform as choose
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import AskedPage, Gathering, preliminary, refused_pages
from pagemill.drafting.probe import probe_pages
from pagemill.drafting.trial import TriedPage, try_draft
from pagemill.errors import UsageError, VisitFailed
from pagemill.guard.scratch import scratch_folder

_PER_PAGE_S = 90.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The options about the pages and the visits, as given on the command line."""

    on_sale: Sequence[str]
    sold_out: Sequence[str]
    off_sale: Sequence[str]
    gone: Sequence[str]
    expect: str
    source: Path | None
    rows: int
    device: str | None
    locale: str | None
    headers: Sequence[str]
    hosts: Sequence[str]
    wait_ms: str


def run_draft(name: str, asked: Asked, *, force: bool, only_print: bool, as_json: bool) -> None:
    """Drafts the platform's file and writes or prints it; with `as_json` prints all findings instead.

    Raises:
        UsageError: the options contradict each other, or the file exists already.
        VisitFailed: a page refuses to be visited, or could not be read.
        typer.Exit: with code 1, if the file is not good enough.
    """
    config = load("WARNING")
    visitor = _visitor(asked)
    others = {PageRole.SOLD_OUT: asked.sold_out, PageRole.OFF_SALE: asked.off_sale, PageRole.GONE: asked.gone}
    pace = _pace(asked.wait_ms)
    file = config.environment.config_folder / PLATFORMS_FOLDER / f"{name}.yaml"
    if file.exists() and not (force or only_print or as_json):
        raise UsageError(f"{file} is there already: --force replaces it, --print writes none")
    pages = asked_pages(asked.on_sale, others, asked.expect, asked.source, asked.rows)
    platform = _preliminary(name, pages, visitor, asked.hosts)
    secrets = visitor_needs([platform], config.environment)
    note = partial(tell_visited, len(pages)) if as_json else None
    with scratch_folder(), running_loop() as loop, build_pool(config, {name: platform}, secrets, loop) as pool:
        loop.call(pool.resize, len(pages))
        work = _draft(pool, platform, pages, pace, visitor, asked.hosts, note)
        drafted, tried = loop.run(work, _PER_PAGE_S * len(pages), "draft the platform's file")
    _check(name, drafted.text)
    lacking = shortcomings(drafted, tried)
    if as_json:
        tell_draft(drafted, tried, lacking)
        raise typer.Exit(1 if lacking else 0)
    if only_print:
        typer.echo(drafted.text)
    else:
        replace_file(file, drafted.text)
    console = error_console() if only_print else output_console()
    print_report(console, drafted, tried)
    if not only_print:
        console.print(f"{file} is written")
    if lacking:
        console.print("not good enough yet:")
        for line in lacking:
            console.print(f"  {line}")
        raise typer.Exit(1)


def _pace(text: str) -> MsRange:
    try:
        return read_ms_range(text)
    except Mistake as mistake:
        raise UsageError(f"--wait-ms: {mistake}") from mistake


def _visitor(asked: Asked) -> dict[str, Any]:
    """The `visitor` section of the file; empty if no option asks for one."""
    found: dict[str, str] = {}
    for header in asked.headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise UsageError(f"--header {header!r} is no header: write 'Referer: https://www.shop.com/'")
        found[name.strip()] = value.strip()
    said = {"device": asked.device, "locale": asked.locale, "headers": found}
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
    note: Callable[[int], object] | None,
) -> tuple[Draft, list[TriedPage]]:
    gathering = Gathering(pool, platform, pace)
    try:
        evidence = await gathering.visit_all(pages, note)
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
    """Checks that the text can be loaded as a platform file of that name.

    Raises:
        ConfigError: it cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        load_platform_file(path)
