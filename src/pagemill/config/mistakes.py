"""How a rule of the models reports a mistake: what is wrong, what to do about it, and which key is meant.

Raised inside a pydantic validator. It knows no files or lines; `explain` adds those.
"""

from __future__ import annotations

from collections.abc import Sequence


class Mistake(ValueError):
    """One value that breaks one rule.

    `path` leads from the rule's own section to the key that is meant. It is empty for the section itself.
    """

    def __init__(self, message: str, remedy: str, *path: str | int) -> None:
        self.message = message
        self.remedy = remedy
        self.path = path
        super().__init__(f"{message}: {remedy}")


class Mistakes(ValueError):
    """Several mistakes that one rule found together."""

    def __init__(self, each: Sequence[Mistake]) -> None:
        self.each = tuple(each)
        super().__init__("; ".join(str(mistake) for mistake in self.each))
