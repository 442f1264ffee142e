"""crawl4ai's AsyncWebCrawler with its light and text modes, its own wait and its own extraction by CSS."""

from __future__ import annotations

import asyncio
import json

from crawl4ai import AsyncWebCrawler, BrowserConfig, CacheMode, CrawlerRunConfig, JsonCssExtractionStrategy

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
        extraction_strategy=JsonCssExtractionStrategy({"name": "product", "baseSelector": "body", "fields": FIELDS}),
        verbose=False,
    )
    while job.urls:
        url = job.urls.pop()
        started = now()
        answer = await crawler.arun(url, config=settings)
        found = json.loads(answer.extracted_content or "[]") if answer.success else []
        job.note(url, started, found[0] if found else {})
        if job.gap_s:
            await asyncio.sleep(job.gap_s)


async def main() -> None:
    """Works the job off."""
    job = Job()
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
