"""The seats of a platform that allows only so many visits at one time: who has a seat, and who waits in which order.

Owns two keys beside that of `pace_script`, whose script for turns calls `take_seat` and `leave_seat`. Every number that
is a moment or a span is in microseconds, on Redis' clock.

    KEYS[2]   a sorted set: each seat that is taken, by when it runs out if nobody gives it back KEYS[3]   a sorted set:
    each waiting ticket, by when it runs out if its holder does not look again

A seat's name is that of its worker, a colon and a number. A ticket is the moment of its arrival, in a fixed number of
digits, and the name of the wanted seat. So tickets sort in the order of their arrivals.
"""

from __future__ import annotations

from pagemill.script_files import read_script

SEATS, LINE = ":seats", ":line"
"""The names of the two keys are the platform's key and these."""

KEEP_SEAT = read_script(__file__, "clock.lua", "keep_seat.lua")
LEAVE_SEAT = read_script(__file__, "clock.lua", "seats.lua", "leave_seat.lua")
