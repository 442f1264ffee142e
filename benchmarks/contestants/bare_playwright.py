"""Playwright at its best and nothing else: no queue, no stored results, no firewall, no limits, no log.

Pages and contexts are replaced as often as pagemill replaces them.
"""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser, async_playwright

from benchmarks.contestants.notes import HEIGHT, READ, WIDTH, Job, now

_PAGE_USES = 10
_CONTEXT_USES = 50


async def lane(browser: Browser, job: Job) -> None:
    """Visits until no URL is left."""
    uses = 0
    context = page = None
    while job.urls:
        url = job.urls.pop()  # before any await: the lanes share the list
        if context is None or uses % _CONTEXT_USES == 0:
            if context is not None:
                await context.close()
            context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
            page = None
        if page is None or uses % _PAGE_USES == 0:
            if page is not None:
                await page.close()
            page = await context.new_page()
        uses += 1
        started = now()
        await page.goto(url, wait_until="commit")
        job.note(url, started, await page.evaluate(READ))
        if job.gap_s:
            await asyncio.sleep(job.gap_s)


async def main() -> None:
    """Works the job off."""
    job = Job()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=job.chromium, args=job.switches, chromium_sandbox="--no-sandbox" not in job.switches
        )
        await asyncio.gather(*(lane(browser, job) for _ in range(job.lanes)))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
