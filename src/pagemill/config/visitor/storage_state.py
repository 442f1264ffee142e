"""A visitor's cookies and localStorage from a file in Playwright's format (`context.storage_state(path=...)`).

It is somebody's session: no message repeats a value, and the file is read only by processes that visit shops.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pagemill.config.mistakes import Mistake

_MAX_BYTES = 10_000_000
_MAX_STORED = 5_000_000
"""Characters for one origin. Chromium keeps 10 MB, with two bytes for each character."""


_SAVED_BY = {"indexedDB": "indexed_db", "opfs": "opfs", "credentials": "credentials"}
"""What Playwright saves only on request, each with the argument that requests it."""
_FORM = "save it with Playwright: context.storage_state(path=...)"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class _Whole(_Part):
    """A part of a file that must be restored as a whole or not at all."""

    model_config = ConfigDict(extra="allow")

    @property
    def left_out(self) -> list[str]:
        """What it holds besides that cannot be restored."""
        return [name for name, value in (self.model_extra or {}).items() if value]


class StoredCookie(_Part):
    """One cookie; `expires` is in seconds since 1970, -1 for the session's end."""

    name: str
    value: str = Field(repr=False)
    domain: Annotated[str, Field(min_length=1)]
    path: str = "/"
    expires: float = -1
    http_only: bool = Field(default=False, alias="httpOnly")
    secure: bool = False
    same_site: Literal["Strict", "Lax", "None"] = Field(default="Lax", alias="sameSite")
    partition_key: str | None = Field(default=None, alias="partitionKey")
    """The site in whose pages alone the cookie exists; `None` means in the pages of any site."""
    is_embedded: bool = Field(default=True, alias="_crHasCrossSiteAncestor")
    """Whether, within those pages, the cookie exists only in frames of other sites."""


class StoredItem(_Part):
    """One entry of a localStorage."""

    name: str
    value: str = Field(repr=False)


class StoredOrigin(_Whole):
    """What one origin has stored."""

    origin: Annotated[str, Field(pattern=r"^https?://[^/]+$")]
    local_storage: tuple[StoredItem, ...] = Field(default=(), alias="localStorage")


class StorageState(_Whole):
    """The whole file."""

    cookies: tuple[StoredCookie, ...] = ()
    origins: tuple[StoredOrigin, ...] = ()


def read_storage_state(path: Path) -> StorageState:
    """Reads such a file.

    Raises:
        Mistake: it cannot be read, has another format, or holds what cannot be restored; the message names the file.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}", _FORM) from error
    if len(raw) > _MAX_BYTES:
        raise Mistake(f"{path} is longer than {_MAX_BYTES} bytes", _FORM)
    try:
        state = StorageState.model_validate(json.loads(raw))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Mistake(f"{path} is not in Playwright's format, at {place or 'the top'}", _FORM) from None
    except ValueError:
        raise Mistake(f"{path} is not JSON", _FORM) from None
    for origin in state.origins:
        if sum(len(item.name) + len(item.value) for item in origin.local_storage) > _MAX_STORED:
            raise Mistake(f"{path} holds more for {origin.origin} than a localStorage takes", "remove some of it")
    held = [(name, "") for name in state.left_out]
    held += [(name, f" of {origin.origin}") for origin in state.origins for name in origin.left_out]
    for name, place in held:
        remedy = f"save it without {_SAVED_BY[name]}=True" if name in _SAVED_BY else "remove it"
        raise Mistake(f"{path} holds {name[:40]}{place}, which cannot be set", remedy)
    return state
