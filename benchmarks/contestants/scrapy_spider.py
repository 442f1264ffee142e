"""scrapy-playwright: a spider whose pages wait for the content by a page method, with Scrapy's own selectors.

At a polite pace each shop's address is a download slot of its own, with up to `--lanes` visits in flight and a random
delay between two of them, the mean of which is that pace.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response
from scrapy_playwright.page import PageMethod

from benchmarks.contestants.notes import HEIGHT, READY, WIDTH, Job, now

HANDLER = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"

_DRAWN_AGAIN = math.e - 1.5
"""How many times its setting a random delay lasts in the mean. Scrapy draws it between 0.5 and 1.5 times the setting,
and draws again when it is over: if the new one is longer, that one's rest is waited for as well, and so on. So the mean
is not 1 but e - 1.5, which is 1.22; without this the spider would be a fifth slower than the pace."""


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


def pace(job: Job) -> dict[str, Any]:
    """Settings of how many visits there may be, and when."""
    visits = {"CONCURRENT_REQUESTS": job.lanes * job.shops, "CONCURRENT_REQUESTS_PER_DOMAIN": job.lanes}
    if not job.per_minute:
        return {**visits, "DOWNLOAD_DELAY": job.gap_s / job.lanes, "RANDOMIZE_DOWNLOAD_DELAY": False}
    return {
        **visits,
        "DOWNLOAD_DELAY": 60 / job.per_minute / _DRAWN_AGAIN,  # random, as it is by default
        # Scrapy's advice for many sites at once: take the next URL of the one that has the fewest visits in flight.
        "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
    }


def main() -> None:
    """Works the job off."""
    job = Job()
    process = CrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
            "DOWNLOAD_HANDLERS": {"http": HANDLER, "https": HANDLER},
            **pace(job),
            "TELNETCONSOLE_ENABLED": False,
            "PLAYWRIGHT_BROWSER_TYPE": "chromium",
            "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,
            "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": job.lanes * job.shops,
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
