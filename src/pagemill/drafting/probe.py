"""Asks the open pages of a draft what selectors find in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pagemill.browser.lease import Lease
from pagemill.drafting.element_candidates import Probed
from pagemill.drafting.page_scripts import probe_script
from pagemill.errors import VisitFailed
from pagemill.extraction.ask_page import ask_page
from pagemill.extraction.page_spec import Watch, reading_spec
from pagemill.extraction.values import collapse

_TIMEOUT_S = 20.0
_STEP = "asking the page for selectors"


async def probe_pages(leases: Sequence[Lease], selectors: Sequence[str]) -> list[list[Probed]]:
    """What each selector finds, for every page in order.

    Raises:
        DeadlineExceeded, VisitFailed, PageLost: a page does not answer, or is gone.
    """
    return [await _probe(lease, selectors) for lease in leases]


async def _probe(lease: Lease, selectors: Sequence[str]) -> list[Probed]:
    assert lease.world is not None
    spec = {**reading_spec(Watch()), "selectors": list(selectors)}
    told = await ask_page(lease.world, probe_script(), spec, _TIMEOUT_S, _STEP)
    if not isinstance(told, list) or len(told) != len(selectors):
        raise VisitFailed("the page answered with something else than what its selectors find")
    return [_probed(one) for one in told]


def _probed(one: Any) -> Probed:
    count, text, visible, attributes = one
    return Probed(int(count), collapse(str(text)), visible is True, {str(k): str(v) for k, v in attributes.items()})
