"""The seats of a platform that bears only so many visits at one time: who has one, and who waits in which order.

Owns two keys beside that of `pace_script`, whose script for turns calls `take_seat` and `leave_seat`. Every number that
is a moment or a span counts microseconds, on Redis' clock.

    KEYS[2]   a sorted set: each seat that is taken, by when it runs out if nobody gives it back
    KEYS[3]   a sorted set: each ticket of those who wait, by when it runs out if its holder does not look again

A seat's name is that of its worker, a colon and a number. A ticket is the moment of its arrival, always as long, and
the name of the seat that is waited for: tickets sort in the order of their arrivals.
"""

from __future__ import annotations

from pagemill.script_files import read_script

SEATS, LINE = ":seats", ":line"
"""What follows the platform's key in the names of the two keys."""

KEEP_SEAT = read_script(__file__, "clock.lua", "keep_seat.lua")
LEAVE_SEAT = read_script(__file__, "clock.lua", "seats.lua", "leave_seat.lua")
