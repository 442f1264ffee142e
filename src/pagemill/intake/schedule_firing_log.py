"""The schedulers' notes about the schedule's entries, in Redis: one hash for each entry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import redis

from pagemill.intake.schedule_firing import EntryFiring, FiringOutcome
from pagemill.script_files import read_script

KEY_PREFIX = "pagemill:schedule:"
LEADER_KEY = "pagemill:scheduler"

_NOTE = read_script(__file__, "note_firing.lua")

_KEEP_S = 400 * 24 * 3600
"""Seconds. Longer than the year between two firings of a yearly cron expression."""


class FiringLog:
    """The notes of all entries."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._note = client.register_script(_NOTE)

    def last(self, entry: str) -> EntryFiring | None:
        """The latest note about an entry; `None` for a new entry."""
        names = ("due", "outcome", "run", "detail", "rule")
        found = cast("list[bytes | None]", self._client.hmget(KEY_PREFIX + entry, *names))
        due, outcome, *texts = found
        if due is None or outcome is None:
            return None
        moment = datetime.fromtimestamp(int(due), UTC)
        run, detail, rule = ((text or b"").decode() for text in texts)
        return EntryFiring(moment, FiringOutcome(outcome.decode()), run, detail, rule)

    def note(self, entry: str, firing: EntryFiring, leader: str) -> bool:
        """Stores a note; `False` if this scheduler no longer leads."""
        moment = int(firing.due.timestamp())
        arguments: list[str | int] = [leader, moment, firing.outcome.value, firing.run, firing.detail[:500]]
        arguments += [firing.rule, _KEEP_S]
        return bool(self._note(keys=[LEADER_KEY, KEY_PREFIX + entry], args=arguments))

    def leader(self) -> str:
        """The name of the leading scheduler; empty if none leads."""
        name = self._client.get(LEADER_KEY)
        return name.decode() if isinstance(name, bytes) else ""
