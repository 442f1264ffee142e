"""Reads products as a worker does: a page of the pool's kind, every step of the platform's strategy, the judgement."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import yaml

from pagemill.browser.opener import BrowserHandle, Opener, PageHandle
from pagemill.config.platform import Platform
from pagemill.errors import VisitGoesOn
from pagemill.extraction.judge import judge_reading
from pagemill.extraction.strategy import Strategy, load_strategy
from pagemill.extraction.visit import Visit
from pagemill.model import Judgement, PageReading, Product


@dataclass(frozen=True)
class Read:
    """One product as it was read and judged."""

    reading: PageReading
    judgement: Judgement
    steps: int

    @property
    def verdict(self) -> str:
        """The verdict as a word."""
        return self.judgement.verdict.value

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that were said."""
        return {name: value for name, value in self.reading.facts.items() if value is not None}


def platform_of(text: str | Mapping[str, Any], **more: Any) -> Platform:
    """A platform on this machine, from YAML or from data; `hosts` and the name need not be written."""
    data = yaml.safe_load(text) if isinstance(text, str) else dict(text)
    return Platform.model_validate({"platform": "shop", "hosts": ["127.0.0.1"], **data, **more})


@dataclass(frozen=True)
class ShopReader:
    """Opens pages of one browser."""

    opener: Opener
    browser: BrowserHandle

    @asynccontextmanager
    async def opened(self, platform: Platform) -> AsyncIterator[PageHandle]:
        """A page in a context of its own."""
        context = await self.opener.open_context(self.browser, platform)
        try:
            yield await self.opener.open_page(context, platform)
        finally:
            await self.opener.close_context(context)

    async def read(
        self,
        platform: Platform | str,
        url: str,
        expected: Mapping[str, Any] | None = None,
        *,
        product_id: str = "1",
        timeout_s: float = 10.0,
        explain: bool = False,
    ) -> Read:
        """One product, by a strategy of its own in a page of its own."""
        shop = platform_of(platform) if isinstance(platform, str) else platform
        async with self.opened(shop) as handle:
            strategy = load_strategy(shop)
            try:
                return await self.read_with(
                    strategy, handle, shop, Product(product_id, url, dict(expected or {})), timeout_s, explain=explain
                )
            finally:
                if callable(close := getattr(strategy, "close", None)):
                    close()

    async def read_with(
        self,
        strategy: Strategy,
        handle: PageHandle,
        platform: Platform,
        product: Product,
        timeout_s: float = 10.0,
        *,
        explain: bool = False,
    ) -> Read:
        """One product, in a page that may have been elsewhere before."""
        names = platform.names_of(product.id, product.url)
        assert names is not None
        address = platform.product.address_of(names)
        visit = Visit(
            address, product, timeout_s, names=names, news=handle.firewall.news, world=handle.world, explain=explain
        )
        for steps in range(1, 20):
            handle.firewall.reset()
            try:
                reading = await strategy.read(handle.page if strategy.needs_page(visit) else None, visit)
            except VisitGoesOn as error:
                visit = replace(visit, so_far=error.so_far)
                continue
            return Read(reading, judge_reading(product, reading, platform.judge, names), steps)
        raise AssertionError("the visit does not come to an end")
