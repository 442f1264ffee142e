"""How a rule of the models says what is wrong: the mistake, what to do about it, and which key below it is meant.

Raised inside a pydantic validator. It knows neither files nor lines: `explain` adds those.
"""

from __future__ import annotations

from collections.abc import Sequence


class Mistake(ValueError):
    """One value that breaks one rule.

    `path` leads from the place where the rule stands to the key that is meant; it is empty for the place itself.
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
