"""The revoked tokens, as one API process knows them: read from the database now and then, and checked in memory."""

from __future__ import annotations

from pagemill.control_room.frame.roles import Access
from pagemill.results.revoked_tokens import Revocations, RevokedTokens


class Revoked:
    """While the database is away, the last known revocations apply."""

    def __init__(self, tokens: RevokedTokens) -> None:
        self._tokens = tokens
        self._known = Revocations()

    def look(self) -> None:
        """Reads the revocations from the database.

        Raises:
            DatabaseUnavailable: the database does not answer.
        """
        self._known = self._tokens.read()

    def __call__(self, access: Access) -> bool:
        """Whether the token behind this access was revoked."""
        return access.made_at is not None and self._known.has(access.token_id, access.made_at)
