"""Which tokens were revoked, as one API process knows it: asked of the database now and then, answered at once."""

from __future__ import annotations

from pagemill.control_room.frame.roles import Access
from pagemill.results.revoked_tokens import Revocations, RevokedTokens


class Revoked:
    """While the database is away, what was known last counts."""

    def __init__(self, tokens: RevokedTokens) -> None:
        self._tokens = tokens
        self._known = Revocations()

    def look(self) -> None:
        """Asks the database.

        Raises:
            DatabaseUnavailable: it does not answer.
        """
        self._known = self._tokens.read()

    def __call__(self, access: Access) -> bool:
        """Whether the token that showed this counts no more."""
        return access.made_at is not None and self._known.has(access.token_id, access.made_at)
