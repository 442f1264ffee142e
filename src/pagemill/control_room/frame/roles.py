"""Roles and accesses of the control API. Values only: `tokens` and `access` check the proof."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """The two roles of the control API."""

    PLANNER = "planner"
    """May read."""
    ADMIN = "admin"
    """May read and change."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a client has proved about itself."""

    role: Role
    subject: str
    """A name for people; no decision depends on it."""
    expires_at: datetime | None
    """The end of the access, in UTC; `None` if the API asks for no token."""
    token_id: str = field(default="", compare=False)
    """The id of the token behind it; empty without a token."""
    made_at: datetime | None = field(default=None, compare=False)
    """When the token was made, in UTC, to the second."""

    @property
    def may_change(self) -> bool:
        """Whether this access may change the running fleet."""
        return self.role is Role.ADMIN
