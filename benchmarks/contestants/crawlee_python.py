"""crawlee-python's PlaywrightCrawler, told not to wait, not to load images, and to keep its state in memory.

It knows one pace, for all shops together: at a polite pace that is the sum of theirs, and as the URLs are the shops' in
turns, each is visited at its own, evenly. A page is open for as long as its visit lasts.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from crawlee import ConcurrencySettings
from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext, PlaywrightPreNavCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from benchmarks.contestants.notes import HEIGHT, READ, WIDTH, Job, now


async def main() -> None:
    """Works the job off."""
    job = Job()
    started: dict[str, float] = {}
    most = job.lanes * job.shops
    lanes = ConcurrencySettings(
        min_concurrency=most,
        desired_concurrency=most,
        max_concurrency=most,
        max_tasks_per_minute=job.per_minute * job.shops or 1e9,
    )
    crawler = PlaywrightCrawler(
        browser_type="chromium",
        headless=True,
        browser_launch_options={
            "executable_path": job.chromium,
            "args": job.switches,
            "chromium_sandbox": "--no-sandbox" not in job.switches,
        },
        browser_new_context_options={"viewport": {"width": WIDTH, "height": HEIGHT}},
        goto_options={"wait_until": "commit"},
        concurrency_settings=lanes,
        storage_client=MemoryStorageClient(),
        use_session_pool=False,
        retry_on_blocked=False,
        fingerprint_generator=None,
        max_request_retries=0,
        configure_logging=False,
        statistics_log_format="inline",
        request_handler_timeout=timedelta(seconds=60),
    )

    @crawler.pre_navigation_hook
    async def begin(context: PlaywrightPreNavCrawlingContext) -> None:
        started[context.request.url] = now()

    @crawler.router.default_handler
    async def read(context: PlaywrightCrawlingContext) -> None:
        url = context.request.url
        job.note(url, started[url], await context.page.evaluate(READ))
        if job.gap_s:
            await asyncio.sleep(job.gap_s)

    await crawler.run(job.urls)


if __name__ == "__main__":
    asyncio.run(main())
