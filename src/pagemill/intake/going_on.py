"""How a run that broke off goes on: which place its source was read to, and the products behind it.

The place is a text, which the database keeps. Of a run of one platform it is the id of the last product that was noted.
Of one over several it is that of each, as JSON: a batch of one platform may be noted while another's still fills, so
the same row is not the last one for both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence

from pagemill.config.platform import AUTO
from pagemill.model import Batch, Product


def place_after(place: str, batches: Sequence[Batch], run_of: str) -> str:
    """The place that those batches lead to, at least one, from that one.

    Args:
        place: where the run was before; empty at its beginning.
        batches: those that follow, in their order.
        run_of: the run's platform, or `auto`.
    """
    ends = {batch.platform: batch.products[-1].id for batch in batches}
    if run_of != AUTO:
        return ends[run_of]
    return json.dumps(_ends(place, run_of) | ends, ensure_ascii=False, sort_keys=True)


def behind(products: Callable[[], Iterable[Product]], place: str, run_of: str) -> Generator[Product]:
    """The products of a source behind that place, each platform's behind its own last one; all that a platform has if
    that one is no longer there: better twice than never."""
    ahead = _ends(place, run_of)
    for product in products():
        name = product.platform or run_of
        if name not in ahead:
            yield product
        elif product.id == ahead[name]:
            del ahead[name]
    if ahead:
        yield from (product for product in products() if (product.platform or run_of) in ahead)


def _ends(place: str, run_of: str) -> dict[str, str]:
    """The last product of each platform."""
    if not place:
        return {}
    if run_of != AUTO:
        return {run_of: place}
    ends: dict[str, str] = json.loads(place)
    return ends
