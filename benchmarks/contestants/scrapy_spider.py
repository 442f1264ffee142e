"""scrapy-playwright: a spider whose pages wait for the content by a page method, with Scrapy's own selectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from scrapy_playwright.page import PageMethod

from benchmarks.contestants.notes import HEIGHT, READY, WIDTH, Job, now

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"


class ProductSpider(scrapy.Spider):
    """Asks for every URL once."""

    name = "products"

    def __init__(self, job: Job, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.job = job

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in self.job.urls:
            meta = {
                "playwright": True,
                "playwright_page_goto_kwargs": {"wait_until": "commit"},
                "playwright_page_methods": [PageMethod("wait_for_selector", READY, state="attached")],
            }
            yield scrapy.Request(url, meta=meta, dont_filter=True)

    def parse(self, response: Response) -> Iterator[None]:
        found = {
            "name": response.css("h1.name::text").get(),
            "price": response.css(".price::text").get(),
            "stock": response.css(".stock::text").get(),
            "image": response.css("img.photo::attr(src)").get(),
        }
        # Scrapy measures from the moment a page is wanted to the moment that its content is there.
        self.job.note(response.url, now() - response.meta["download_latency"], found)
        yield from ()


def main() -> None:
    """Works the job off."""
    job = Job()
    process = CrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
            "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
            "CONCURRENT_REQUESTS": job.lanes,
            "CONCURRENT_REQUESTS_PER_DOMAIN": job.lanes,
            "DOWNLOAD_DELAY": job.gap_s / job.lanes,
            "RANDOMIZE_DOWNLOAD_DELAY": False,
            "TELNETCONSOLE_ENABLED": False,
            "PLAYWRIGHT_BROWSER_TYPE": "chromium",
            "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
            "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": job.lanes,
            "PLAYWRIGHT_CONTEXTS": {"default": {"viewport": {"width": WIDTH, "height": HEIGHT}}},
            "PLAYWRIGHT_LAUNCH_OPTIONS": {
                "executable_path": job.chromium,
                "args": job.switches,
                "chromium_sandbox": "--no-sandbox" not in job.switches,
            },
        }
    )
    process.crawl(ProductSpider, job=job)
    process.start()


if __name__ == "__main__":
    main()
