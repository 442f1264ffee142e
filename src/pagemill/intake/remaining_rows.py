"""The products of a catalogue that a run lacks because its enqueueing broke off, in whatever order the catalogue is
now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from itertools import islice

from pagemill.intake.seen_ids import SeenIds
from pagemill.model import Product

_AT_ONCE = 500


def rest_of(
    products: Iterable[Product], noted: Iterable[Product], judged: Callable[[Sequence[str]], Collection[str]]
) -> Generator[Product]:
    """Streams the products of a catalogue that a run was not asked for, in flat memory.

    Args:
        products: all of them.
        noted: those of the run's batches that are not done; read before anything else.
        judged: which of these ids have their result in the run.
    """
    with SeenIds() as asked:
        for product in noted:
            asked.add(product.id, 0)
        stream = iter(products)
        while group := list(islice(stream, _AT_ONCE)):
            done = judged([product.id for product in group])
            yield from (each for each in group if each.id not in done and asked.add(each.id, 0) is None)
