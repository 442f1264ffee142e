"""`pagemill try`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pagemill.app.parts import build_pool, chosen_platforms, running_loop
from pagemill.browser.pool import BrowserPool
from pagemill.cli.options import PlatformName, load
from pagemill.cli.wording import output_console
from pagemill.config.platform import Platform
from pagemill.errors import ItemError, PagemillError, UsageError, VisitFailed, VisitRefused
from pagemill.extraction.artifacts import take_screenshot
from pagemill.extraction.judge import judge
from pagemill.extraction.strategy import Visit, load_strategy
from pagemill.guard.scratch import scratch_folder
from pagemill.model import Judgement, PageReading, Product, Verdict


def try_url(
    url: Annotated[str, typer.Argument(help="The product's page.")],
    platform: PlatformName,
    screenshot: Annotated[Path | None, typer.Option(help="Keep a picture of the page in this file, as JPEG.")] = None,
) -> None:
    """Visit one product and print what its page says.

    Nothing is expected of it, so the verdict tells only whether it is there, in stock, gone, blocked or failed; a fact
    that is None was not found.
    """
    config = load("WARNING")
    shop = chosen_platforms(config, [platform])[platform]
    refusal = shop.host_rules().refusal(url)
    if refusal is not None:
        raise UsageError(f"{refusal}: correct the URL, or add the host to hosts in {platform}.yaml")
    is_jpeg = screenshot is None or screenshot.suffix.lower() in (".jpg", ".jpeg")
    if screenshot is not None and not (is_jpeg and screenshot.parent.is_dir()):
        raise UsageError(f"--screenshot {screenshot}: name a .jpg file in a folder that exists")
    started_s = time.monotonic()
    with scratch_folder(), running_loop() as loop, build_pool(config, {platform: shop}, loop) as pool:
        opened_s = time.monotonic()
        deadline_s = shop.navigation.timeout_ms / 1000 + 60
        reading, judgement = loop.run(_visit(pool, shop, url, screenshot), deadline_s, "visit the page")
        read_s = time.monotonic()
    _print(
        reading, judgement, launch_ms=round((opened_s - started_s) * 1000), visit_ms=round((read_s - opened_s) * 1000)
    )
    if judgement.verdict is Verdict.FAILED:
        raise typer.Exit(1)


async def _visit(
    pool: BrowserPool, platform: Platform, url: str, screenshot: Path | None
) -> tuple[PageReading, Judgement]:
    product = Product(id="try", url=url)
    strategy = load_strategy(platform)
    async with pool.lease(platform) as lease:
        try:
            visit = Visit(url=url, product=product, timeout_s=platform.navigation.timeout_ms / 1000, in_full=True)
            reading = await strategy.read(lease.page, visit)
        except PagemillError as error:
            if lease.refusal is not None:
                raise VisitRefused(f"{url} led away: {lease.refusal}") from error
            if isinstance(error, ItemError):
                raise VisitFailed(f"{url} could not be read: {error}. Does it open in an ordinary browser?") from error
            raise
        if screenshot is not None:
            await asyncio.to_thread(screenshot.write_bytes, await take_screenshot(lease.page))
    return reading, judge(product, reading, platform.judge)


def _print(reading: PageReading, judgement: Judgement, *, launch_ms: int, visit_ms: int) -> None:
    table = Table(show_header=False)
    table.add_row("verdict", judgement.verdict.value + (f": {judgement.reason}" if judgement.reason else ""))
    table.add_row("status", str(reading.status))
    for name, value in reading.facts.items():
        table.add_row(name, repr(value) if value is not None else "None: nothing was found where the platform looks")
    table.add_row("browser started in", f"{launch_ms} ms")
    table.add_row("page read in", f"{visit_ms} ms")
    output_console().print(table)
