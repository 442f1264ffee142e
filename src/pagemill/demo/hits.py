"""Counts the requests to the shop, in bounded memory, so that a test can tell what was visited and what was not.

Owns the names under which hits are counted, and the visits of each product. Decides nothing about answers.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pagemill.demo.faults import FAULTS

COUNTED_PREFIXES = (
    "/hydrated/p",
    "/hydrated/api",
    "/jsonld/p",
    "/api/p",
    "/api/v1/products",
    "/api/v1",
    "/img",
    "/static",
    "/popup",
    "/elsewhere",
)
"""A hit is counted under the first of these paths that it is below; everything else is `other`."""

MAX_PRODUCTS = 20_000
"""Visits are kept for the products that were visited last; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class HitReport:
    """The answer of `/_hits`. `visits` are the documents of the product that was asked about; 0 if none was."""

    total: int = 0
    paths: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    products: int = 0
    visits: int = 0

    def to_json(self) -> bytes:
        """The report as a JSON object."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, body: bytes) -> HitReport:
        """Reads what `to_json` wrote."""
        values: dict[str, Any] = json.loads(body)
        return cls(**values)


class HitCounter:
    """All counts of one running shop. Its size depends only on the table of paths and on `max_products`."""

    def __init__(self, max_products: int = MAX_PRODUCTS) -> None:
        self._max_products = max_products
        self._paths: dict[str, int] = {}
        self._faults: dict[str, int] = {}
        self._visits: OrderedDict[str, int] = OrderedDict()

    def count(self, path: str) -> None:
        """Counts one request."""
        self.count_as(next((prefix for prefix in COUNTED_PREFIXES if _lies_in(path, prefix)), "other"))

    def count_as(self, name: str) -> None:
        """Counts one request under a name; there must be few names."""
        self._paths[name] = self._paths.get(name, 0) + 1

    def count_visit(self, product_id: str, fault: str) -> int:
        """Counts one document of a product. Returns the count, this one included, since it was last forgotten."""
        if fault in FAULTS:
            self._faults[fault] = self._faults.get(fault, 0) + 1
        visits = self._visits.pop(product_id, 0) + 1
        self._visits[product_id] = visits
        if len(self._visits) > self._max_products:
            self._visits.popitem(last=False)
        return visits

    def report(self, product_id: str = "") -> HitReport:
        """The counts so far."""
        return HitReport(
            total=sum(self._paths.values()),
            paths=dict(self._paths),
            faults=dict(self._faults),
            products=len(self._visits),
            visits=self._visits.get(product_id, 0),
        )

    def reset(self) -> None:
        """Forgets everything, including the visits that `flaky` counts."""
        self._paths.clear()
        self._faults.clear()
        self._visits.clear()


def _lies_in(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")
