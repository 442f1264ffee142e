"""Makes one of several processes the leader: the one that holds a key in Redis. The key expires unless renewed."""

from __future__ import annotations

import redis

from pagemill.errors import LeadLost
from pagemill.script_files import read_script

_HOLD = read_script(__file__, "hold_lead.lua")
_RELEASE = read_script(__file__, "release_lead.lua")


class Leadership:
    """One process' claim to lead."""

    def __init__(self, client: redis.Redis, key: str, name: str, ttl_s: float = 15.0) -> None:
        """`name` is unique. Without renewal, another process may lead after `ttl_s` seconds."""
        self.key = key
        self.name = name
        self._ttl_ms = round(ttl_s * 1000)
        self._hold = client.register_script(_HOLD)
        self._release = client.register_script(_RELEASE)

    def hold(self) -> bool:
        """Takes or renews the lead; whether this process leads now."""
        return bool(self._hold(keys=[self.key], args=[self.name, self._ttl_ms]))

    def renew(self) -> None:
        """Renews the lead during longer work.

        Raises:
            LeadLost: another process leads now.
        """
        if not self.hold():
            raise LeadLost

    def release(self) -> None:
        """Lets another process lead at once."""
        self._release(keys=[self.key], args=[self.name])
