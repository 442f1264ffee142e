"""What Redis does in one step, on its own clock: gives turns, and notes how visits went.

Owns the scripts, and the key with a platform's state. `fleet_pace` and `manual_pause` call the scripts. Seats are kept
by `seat_script`. Every number that is a moment or a span is in microseconds.

The state, a hash whose missing fields mean 0:

    next_us     the fleet's next free place
    pause_us    no visit before that moment; `pause_why` says why
    blocks      answers in a row that were blocks
    opens       how often in a row the breaker has opened
    open_us     the breaker is open until then; after that moment one visit at a time tries whether it may close
    probe_us    such a visit is under way, or was lost, until then
    trouble     share of bad answers among the latest ones, an exponential average
    slow        by how much waits are stretched, less 1
    since       answers since `slow` was changed
"""

from __future__ import annotations

from pagemill.script_files import read_script

KEY_PREFIX = "pagemill:pacing:"

TURN = read_script(__file__, "clock.lua", "pace.lua", "seats.lua", "turn.lua")
REPORT = read_script(__file__, "clock.lua", "pace.lua", "report.lua")
PAUSE = read_script(__file__, "clock.lua", "pace.lua", "pause.lua")
RESUME = read_script(__file__, "clock.lua", "pace.lua", "resume.lua")
