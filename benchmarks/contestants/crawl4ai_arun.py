"""crawl4ai's AsyncWebCrawler: light and text mode, no Markdown, its own wait, its own extraction by CSS."""

from __future__ import annotations

import asyncio

from crawl4ai import AsyncWebCrawler, BrowserConfig, CacheMode, CrawlerRunConfig, JsonCssExtractionStrategy
from playwright.async_api import Browser, BrowserType

from benchmarks.contestants.notes import HEIGHT, READY, WIDTH, Job, now

FIELDS = [
    {"name": "name", "selector": "h1.name", "type": "text"},
    {"name": "price", "selector": ".price", "type": "text"},
    {"name": "stock", "selector": ".stock", "type": "text"},
    {"name": "image", "selector": "img.photo", "type": "attribute", "attribute": "src"},
]


async def lane(crawler: AsyncWebCrawler, job: Job) -> None:
    """Visits until no URL is left."""
    settings = CrawlerRunConfig(
        cache_mode=CacheMode.BYPASS,
        wait_until="commit",
        wait_for=f"css:{READY}",
        wait_for_images=False,
        delay_before_return_html=0,
        mean_delay=0,
        max_range=0,
        prefetch=True,
        verbose=False,
    )
    extraction = JsonCssExtractionStrategy({"name": "product", "baseSelector": "body", "fields": FIELDS})
    while job.urls:
        url = job.urls.pop()
        started = now()
        answer = await crawler.arun(url, config=settings)
        # It takes pages with little text for refusals, and brings their document all the same.
        found = extraction.extract(url, answer.html) if answer.html else []
        job.note(url, started, found[0] if found else {})
        if job.gap_s:
            await asyncio.sleep(job.gap_s)


def launch_only(chromium: str) -> None:
    """Has Playwright launch that Chromium: crawl4ai has no setting for it."""
    launch = BrowserType.launch

    async def launch_it(browser_type: BrowserType, **options: object) -> Browser:
        return await launch(browser_type, **{**options, "executable_path": chromium})  # type: ignore[arg-type]

    BrowserType.launch = launch_it  # type: ignore[method-assign, assignment]


async def main() -> None:
    """Works the job off."""
    job = Job()
    launch_only(job.chromium)
    browser = BrowserConfig(
        browser_type="chromium",
        headless=True,
        text_mode=True,
        light_mode=True,
        viewport_width=WIDTH,
        viewport_height=HEIGHT,
        extra_args=job.switches,
        verbose=False,
    )
    async with AsyncWebCrawler(config=browser) as crawler:
        await asyncio.gather(*(lane(crawler, job) for _ in range(job.lanes)))


if __name__ == "__main__":
    asyncio.run(main())
