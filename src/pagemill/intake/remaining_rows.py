"""The products of a catalogue that a broken-off run still lacks, even if the catalogue's order has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from itertools import islice

from pagemill.intake.seen_ids import SeenIds
from pagemill.model import Product

_AT_ONCE = 500


def rest_of(
    products: Iterable[Product], noted: Iterable[Product], judged: Callable[[Sequence[str]], Collection[str]]
) -> Generator[Product]:
    """Streams the products of a catalogue that are not in the run yet, in flat memory.

    Args:
        products: all products of the catalogue.
        noted: the products of the run's batches that are not done; read first.
        judged: gives those of these ids that have a result in the run.
    """
    with SeenIds() as asked:
        for product in noted:
            asked.add(product.id, 0)
        stream = iter(products)
        while group := list(islice(stream, _AT_ONCE)):
            done = judged([product.id for product in group])
            yield from (each for each in group if each.id not in done and asked.add(each.id, 0) is None)
