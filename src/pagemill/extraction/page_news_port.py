"""The protocol by which a strategy gets the API answers and dialogs of a page. The real thing is `browser.page_news`,
which stands beside this folder and is not imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Heard(Protocol):
    """An answer to a request of the page. A protocol because the real thing stands beside this folder."""

    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes | None: ...
    @property
    def posted(self) -> str: ...
    @property
    def problem(self) -> str: ...


class News(Protocol):
    """What was heard during one visit. A protocol for the same reason."""

    @property
    def answers(self) -> Sequence[Heard]: ...
    @property
    def refresh(self) -> str: ...
    @property
    def dropped(self) -> int: ...
    @property
    def dialogs(self) -> tuple[str, ...]: ...
    def arrived(self) -> None: ...
    async def wait(self) -> None: ...
