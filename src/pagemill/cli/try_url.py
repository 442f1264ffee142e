"""`pagemill try`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pagemill.app.browsing import build_pool, running_loop
from pagemill.app.parts import chosen_platforms
from pagemill.browser.pool import BrowserPool
from pagemill.cli.options import PlatformName, load
from pagemill.cli.try_report import TriedProduct, as_json, print_report
from pagemill.config.platform import Platform
from pagemill.config.visitor.needs import visitor_needs
from pagemill.config.web_address import fault_of_text
from pagemill.errors import ItemError, PagemillError, StepFailed, UsageError, VisitFailed, VisitGoesOn, VisitRefused
from pagemill.extraction.artifacts import take_screenshot
from pagemill.extraction.judge import judge_reading, met_signs
from pagemill.extraction.strategy import Strategy, Visit, load_strategy
from pagemill.guard.scratch import scratch_folder
from pagemill.model import PageReading, Product, Verdict

_PRODUCT_ID = "try"
_MAX_STEPS = 20


def try_url(
    url: Annotated[str, typer.Argument(help="The product's page, as it stands in the catalogue.")],
    platform: PlatformName,
    screenshot: Annotated[Path | None, typer.Option(help="Keep a picture of the page in this file, as JPEG.")] = None,
    id: Annotated[str, typer.Option(help="The product's id in the catalogue, where templates need it.")] = _PRODUCT_ID,
    json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Visit one product and print what each source says of each field, which one counts, and why others do not.

    Nothing is expected of the product, so the verdict tells only whether it is there, in stock, sold, blocked or
    failed. Ends with 1 if it failed, as when nothing was read.
    """
    config = load("WARNING")
    shop = chosen_platforms(config, [platform])[platform]
    visit = _visit(shop, Product(id=id, url=url))
    is_jpeg = screenshot is None or screenshot.suffix.lower() in (".jpg", ".jpeg")
    if screenshot is not None and not (is_jpeg and screenshot.parent.is_dir()):
        raise UsageError(f"--screenshot {screenshot}: name a .jpg file in a folder that exists")
    if screenshot is not None and not shop.extract.visits_pages:
        raise UsageError(f"--screenshot: platform {platform} visits no page")
    secrets = visitor_needs([shop], config.environment)
    started_s = time.monotonic()
    with scratch_folder(), running_loop() as loop, build_pool(config, {platform: shop}, secrets, loop) as pool:
        opened_s = time.monotonic()
        visit = replace(visit, proxies=pool.proxies, secrets=secrets)
        deadline_s = shop.navigation.timeout_ms / 1000 * len(shop.extract.sources) + 60
        reading = loop.run(_read(pool, shop, visit, screenshot), deadline_s, "visit the product")
        read_s = time.monotonic()
    judgement = judge_reading(visit.product, reading, shop.judge, visit.names)
    tried = TriedProduct(
        url=url,
        address=visit.url,
        reading=reading,
        judgement=judgement,
        signs=met_signs(reading, shop.judge),
        browser_ms=round((opened_s - started_s) * 1000),
        read_ms=round((read_s - opened_s) * 1000),
    )
    if json:
        typer.echo(as_json(tried))
    else:
        print_report(tried)
    if judgement.verdict is Verdict.FAILED:
        raise typer.Exit(1)


def _visit(platform: Platform, product: Product) -> Visit:
    """The visit of a product, if its address may be visited.

    Raises:
        UsageError: `product.id` does not fit the URL, or the address is on no host of the platform.
    """
    name = platform.platform
    if fault := fault_of_text(product.url):
        raise UsageError(fault)
    names = platform.names_of(product.id, product.url)
    if names is None:
        raise UsageError(f"product.id of {name}.yaml finds no id in {product.url}: correct one of the two")
    address = platform.product.address_of(names)
    if (refusal := platform.host_rules().refusal(address)) is not None:
        raise UsageError(f"{refusal}: correct the URL, or add the host to hosts in {name}.yaml")
    timeout_s = platform.navigation.timeout_ms / 1000
    return Visit(address, product, timeout_s, in_full=True, names=names, explain=True)


async def _read(pool: BrowserPool, platform: Platform, visit: Visit, screenshot: Path | None) -> PageReading:
    """Does all steps of the visit, on a page if one is needed."""
    strategy = load_strategy(platform)
    try:
        for _ in range(_MAX_STEPS):
            try:
                if strategy.needs_page(visit):
                    return await _read_page(pool, platform, strategy, visit, screenshot)
                return await strategy.read(None, visit)
            except VisitGoesOn as error:
                visit = replace(visit, so_far=error.so_far)
            except StepFailed as error:
                before = "".join(f"\n  {step}" for step in error.before)
                message = f"{visit.url} could not be read: {error}" + (
                    f". The steps before it:{before}" if before else ""
                )
                raise VisitFailed(message) from error
            except ItemError as error:
                message = f"{visit.url} could not be read: {error}. Does it open in an ordinary browser?"
                raise VisitFailed(message) from error
    finally:
        if callable(close := getattr(strategy, "close", None)):
            close()
    raise AssertionError("a visit has no more steps than sources")


async def _read_page(
    pool: BrowserPool, platform: Platform, strategy: Strategy, visit: Visit, screenshot: Path | None
) -> PageReading:
    async with pool.lease(platform) as lease:
        try:
            reading = await strategy.read(lease.page, replace(visit, news=lease.news, world=lease.world))
        except PagemillError as error:
            if (away := lease.strayed or lease.refusal) is not None:
                raise VisitRefused(f"it led away: {away}") from error
            raise
        else:
            if lease.strayed is not None:
                raise VisitRefused(f"it led away: {lease.strayed}")
            return reading
        finally:
            if screenshot is not None:
                await asyncio.to_thread(screenshot.write_bytes, await take_screenshot(lease.page))
