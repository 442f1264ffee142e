"""The yardstick: a Playwright loop with the same Chromium, flags, window and rotation as pagemill, and nothing else.

No queue, no stored results, no firewall, no log. It waits for the content and reads it in one `page.evaluate`, which is
the fastest way known here. Run as a program it prints the seconds from the first visit to the last.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from pagemill.browser.flags import launch_options
from pagemill.browser.machine import examine_machine, find_chromium
from pagemill.config.settings import BrowserSettings

READ = """() => new Promise((resolve) => {
  const read = () => {
    if (!document.querySelector('body[data-ready]')) return false;
    const text = (selector) => document.querySelector(selector)?.textContent;
    resolve({name: text('h1.name'), price: text('.price'), stock: text('.stock')});
    return true;
  };
  if (read()) return;
  const observer = new MutationObserver(() => read() && observer.disconnect());
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
})"""


async def lane(browser: Browser, urls: list[str], page_uses: int, context_uses: int) -> int:
    """Visits until no URL is left; how many pages were complete."""
    complete = uses = 0
    context = page = None
    while urls:
        url = urls.pop()  # before any await: the lanes share the list
        if context is None or uses % context_uses == 0:
            if context is not None:
                await context.close()
            context = await browser.new_context(viewport={"width": 320, "height": 240})
            page = None
        if page is None or uses % page_uses == 0:
            if page is not None:
                await page.close()
            page = await context.new_page()
        uses += 1
        await page.goto(url, wait_until="commit")
        facts = await page.evaluate(READ)
        complete += all(facts.values())
    return complete


async def main(lanes: int, file: Path) -> None:
    """Visits every URL of the file and prints the seconds and the number of complete pages."""
    urls = file.read_text().split()
    options = launch_options(BrowserSettings(), examine_machine(), lanes, frozenset(("image", "font")))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(None),
            args=list(options.args),
            ignore_default_args=list(options.ignore_default_args),
            chromium_sandbox=options.sandbox,
        )
        started_s = time.monotonic()
        complete = sum(await asyncio.gather(*(lane(browser, urls, 10, 50) for _ in range(lanes))))
        seconds = time.monotonic() - started_s
        await browser.close()
    print(seconds, complete)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
