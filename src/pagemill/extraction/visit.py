"""What a strategy is asked to do. Owns the value only; loading a page is `navigate`'s and `look`'s."""

from __future__ import annotations

from dataclasses import dataclass

from pagemill.model import Product


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt at one product: go to `url`, and be back within `timeout_s`.

    `in_full`: without any short cut that the strategy has.
    """

    url: str
    product: Product
    timeout_s: float
    in_full: bool = False
