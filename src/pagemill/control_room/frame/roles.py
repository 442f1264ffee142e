"""Who somebody is to the control API, and what that allows. Values only: proving it is `tokens`' and `access`'s."""

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
    """What somebody has shown to be."""

    role: Role
    subject: str
    """A name for people; nothing is decided by it."""
    expires_at: datetime | None
    """When it ends, in UTC; `None` where nobody is asked for a token."""
    token_id: str = field(default="", compare=False)
    """Of the token that showed it; empty where there was none."""
    made_at: datetime | None = field(default=None, compare=False)
    """When that was made, in UTC, to the second."""

    @property
    def may_change(self) -> bool:
        """Whether the running fleet may be changed."""
        return self.role is Role.ADMIN
