"""Lets one of several processes lead: the one that holds a key in Redis. The key expires unless it is renewed."""

from __future__ import annotations

import redis

from pagemill.errors import LeadLost
from pagemill.script_files import read_script

_HOLD = read_script(__file__, "hold_lead.lua")
_RELEASE = read_script(__file__, "release_lead.lua")


class Leadership:
    """One process' claim."""

    def __init__(self, client: redis.Redis, key: str, name: str, ttl_s: float = 15.0) -> None:
        """`name` is unique; without renewal somebody else may lead after `ttl_s`."""
        self.key = key
        self.name = name
        self._ttl_ms = round(ttl_s * 1000)
        self._hold = client.register_script(_HOLD)
        self._release = client.register_script(_RELEASE)

    def hold(self) -> bool:
        """Takes or renews the lead; whether it is held now."""
        return bool(self._hold(keys=[self.key], args=[self.name, self._ttl_ms]))

    def renew(self) -> None:
        """Renews the lead in the middle of some work.

        Raises:
            LeadLost: another process has it.
        """
        if not self.hold():
            raise LeadLost

    def release(self) -> None:
        """Lets somebody else lead at once."""
        self._release(keys=[self.key], args=[self.name])
