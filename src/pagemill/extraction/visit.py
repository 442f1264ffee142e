"""What a strategy is asked to do. Owns the values only; loading a page is `navigate`'s and `page_reader`'s."""

from __future__ import annotations

from dataclasses import dataclass, field

from pagemill.config.reading.patterns import Names
from pagemill.config.visitor.secrets import VisitorSecrets
from pagemill.extraction.http_route import ProxyTurns
from pagemill.extraction.page_news_port import News
from pagemill.extraction.script_world import World
from pagemill.model import Product


@dataclass(frozen=True, slots=True)
class Arrival:
    """The page already shows the product's document, which came with that HTTP status."""

    status: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt at one product: go to `url`, and be back within `timeout_s`.

    `in_full` forbids the short cuts that the strategy has.
    """

    url: str
    product: Product
    timeout_s: float
    in_full: bool = False
    names: Names = field(default_factory=dict)
    """What `{id}` and other names mean in templates."""
    news: News | None = None
    """What Chromium tells of the page besides its document: `browser.page_news.PageNews`; `None` where nobody
    listens."""
    world: World | None = None
    """Where scripts that read the page run: `browser.isolated_world.IsolatedWorld`; `None` for the page's own world."""
    proxies: ProxyTurns | None = None
    """Whose turn it is among the visitor's proxies, where it has any: `browser.visitor.proxies.Proxies`."""
    secrets: VisitorSecrets = field(default_factory=VisitorSecrets)
    """The visitor's passwords and sessions, for requests without a page."""
    explain: bool = False
    """Whether every source is read, and everything that it says is kept: for `pagemill try`."""
    arrival: Arrival | None = None
    """Set if the page is already at the product: it is read as it is, with the news that it has had so far."""
    so_far: object = None
    """The progress of earlier steps of the same attempt; only the strategy knows its type."""
