"""A visitor's cookies and localStorage from a file in Playwright's format (`context.storage_state(path=...)`).

It is a session of somebody: no message repeats a value, and the file is read only where shops are visited.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MAX_BYTES = 10_000_000
_MAX_STORED = 5_000_000
"""Characters of one origin; Chromium keeps 10 MB, at two bytes each."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


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


class StoredItem(_Part):
    """One entry of a localStorage."""

    name: str
    value: str = Field(repr=False)


class StoredOrigin(_Part):
    """What one origin has stored."""

    origin: Annotated[str, Field(pattern=r"^https?://[^/]+$")]
    local_storage: tuple[StoredItem, ...] = Field(default=(), alias="localStorage")
    indexed_db: tuple[object, ...] = Field(default=(), alias="indexedDB")


class StorageState(_Part):
    """The whole file."""

    cookies: tuple[StoredCookie, ...] = ()
    origins: tuple[StoredOrigin, ...] = ()


def read_storage_state(path: Path) -> StorageState:
    """Reads such a file.

    Raises:
        ValueError: it cannot be read, or is not in that format; the message names the file and what is wrong.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"{path} is longer than {_MAX_BYTES} bytes")
    try:
        state = StorageState.model_validate(json.loads(raw))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise ValueError(f"{path} is not in Playwright's format, at {place or 'the top'}") from None
    except ValueError:
        raise ValueError(f"{path} is not JSON") from None
    for origin in state.origins:
        if sum(len(item.name) + len(item.value) for item in origin.local_storage) > _MAX_STORED:
            raise ValueError(f"{path} holds more for {origin.origin} than a localStorage takes")
    if any(origin.indexed_db for origin in state.origins):
        raise ValueError(f"{path} holds IndexedDB, which cannot be set")
    return state
