"""Runs `pagemill mend`: visits products whose last good result is known, mends the file, and prints the difference."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from pagemill.app.browsing import build_pool, running_loop
from pagemill.app.parts import chosen_platforms, result_store
from pagemill.browser.pool import BrowserPool
from pagemill.cli.draft_pages import MOST_PAGES
from pagemill.cli.options import load
from pagemill.cli.platform_file import replace_file
from pagemill.cli.wording import counted, error_console
from pagemill.config.loading import PLATFORMS_FOLDER
from pagemill.config.platform import Platform
from pagemill.config.visitor.needs import visitor_needs
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.config.yaml_source import read_yaml
from pagemill.drafting.choose import Draft
from pagemill.drafting.choose import draft_platform as choose
from pagemill.drafting.evidence import PageRole
from pagemill.drafting.gather import AskedPage, GatheredPage, Gathering, preliminary
from pagemill.drafting.known_facts import as_it_is, still_there
from pagemill.drafting.known_products import KnownProduct, known_products
from pagemill.drafting.mend import Mended
from pagemill.drafting.mend import mend_platform as mend_file
from pagemill.drafting.probe import probe_pages
from pagemill.drafting.trial import TriedPage, try_draft
from pagemill.errors import UsageError, VisitFailed
from pagemill.guard.scratch import scratch_folder

_PER_PAGE_S = 200.0
"""Seconds for a page's visit and up to five trials of a file on it."""
_OLD_NAMES = ("viewport", "user_agent", "locale")


def run_mend(name: str, *, write: bool) -> None:
    """Prints what to change in that platform's file, and with `write` changes it.

    Raises:
        UsageError: the platform does not exist, or no good result of it is known.
        VisitFailed: no page shows its product's known values any more.
        typer.Exit: with code 1, if the file is still not good enough.
    """
    config = load("WARNING")
    platform = chosen_platforms(config, [name])[name]
    file = config.environment.config_folder / PLATFORMS_FOLDER / f"{name}.yaml"
    with result_store(config) as store:
        known = known_products(store, name)[:MOST_PAGES]
    if not known:
        raise UsageError(
            f"no good result of {name} is known, so nothing tells what is right: `pagemill draft {name} URL`"
        )
    text, data = file.read_text(encoding="utf-8"), read_yaml(file).data or {}
    pages = [AskedPage(_address(platform, product), product.role) for product in known]
    visiting = preliminary(
        name,
        pages,
        _visitor(data),
        more_hosts=platform.hosts,
        timeout_ms=platform.navigation.timeout_ms,
    )
    secrets = visitor_needs([platform], config.environment)
    with scratch_folder(), running_loop() as loop, build_pool(config, {name: visiting}, secrets, loop) as pool:
        loop.call(pool.resize, len(pages))
        work = _mend(pool, visiting, platform, pages, known, text, secrets)
        mended = loop.run(work, _PER_PAGE_S * len(pages), "mend the platform's file")
    typer.echo(mended.patch(Path(os.path.relpath(file)).as_posix()), nl=False)
    console = error_console()
    _tell(console, mended, name)
    if write and mended.text != text:
        replace_file(file, mended.text)
        console.print(f"{file} is changed")
    if mended.shortcomings:
        raise typer.Exit(1)


async def _mend(
    pool: BrowserPool,
    visiting: Platform,
    platform: Platform,
    asked: Sequence[AskedPage],
    known: Sequence[KnownProduct],
    text: str,
    secrets: VisitorSecrets,
) -> Mended:
    pace = platform.workflow.rate_limit.wait_time_ms
    gathering = Gathering(pool, visiting, pace)

    async def trial(platform: Platform, page: GatheredPage) -> TriedPage:
        tried = await try_draft(platform, [page], wait_ms=pace, proxies=pool.proxies, secrets=secrets)
        return tried[0]

    async def redraft() -> Draft:
        leases = [page.lease for page in pages]
        return await choose(
            platform.platform,
            [page.evidence for page in pages],
            lambda selectors: probe_pages(leases, selectors),
            like=platform,
        )

    try:
        await gathering.visit_all(asked)
        pages = _told(gathering.pages, known)
        return await mend_file(text, platform, pages, trial, redraft)
    finally:
        await gathering.close()


def _told(pages: Sequence[GatheredPage], known: Sequence[KnownProduct]) -> list[GatheredPage]:
    """The pages whose products are still there, each with the values that can still be expected.

    Raises:
        VisitFailed: none of the products that were on sale is there any more.
    """
    told = [
        GatheredPage(as_it_is(page.evidence, product), page.lease) for page, product in zip(pages, known, strict=True)
    ]
    found = sorted(
        (page for page in told if still_there(page.evidence)),
        key=lambda page: page.evidence.role is not PageRole.ON_SALE,
    )
    if not any(page.evidence.expected for page in found):
        statuses = ", ".join(f"{page.evidence.url}: HTTP {page.evidence.status}" for page in pages[:3])
        raise VisitFailed(f"no page shows what its product was ({statuses}). Do they open in an ordinary browser?")
    return found


def _tell(console: Console, mended: Mended, name: str) -> None:
    """Prints the report that accompanies the patch, for people."""
    for number, one in enumerate(mended.tried, 1):
        reason = f": {one.judgement.reason}" if one.judgement.reason else ""
        wrong = "" if one.is_right else f" (wrong, it is {one.right.value})"
        console.print(f"{number} {one.page.evidence.url} {one.judgement.verdict.value}{reason}{wrong}", soft_wrap=True)
    for choice in mended.choices:
        console.print(choice.told, soft_wrap=True)
    if mended.left:
        console.print(f"left as it was, for nobody looks for it: {', '.join(mended.left)}", soft_wrap=True)
    if mended.shortcomings:
        console.print("not good enough yet:", soft_wrap=True)
        for line in mended.shortcomings:
            console.print(f"  {line}", soft_wrap=True)
    elif mended.text == mended.before:
        pages = counted(len(mended.tried), "product")
        console.print(f"{name}.yaml reads everything right on {pages}: nothing need be changed", soft_wrap=True)


def _address(platform: Platform, product: KnownProduct) -> str:
    """The address that a run would visit, if the product's id is found in it again; else the catalogue's own URL."""
    names = platform.names_of(product.product_id, product.url)
    if names is None:
        return product.url
    address = platform.product.address_of(names)
    return address if platform.names_of(product.product_id, address) == names else product.url


def _visitor(data: Mapping[str, Any]) -> dict[str, Any]:
    """The file's `visitor` section, including its keys' old names."""
    navigation = data.get("navigation") or {}
    old = {key: navigation[key] for key in _OLD_NAMES if key in navigation}
    return {**old, **(data.get("visitor") or {})}
