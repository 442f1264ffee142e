-- Gives up a seat, or the ticket for it. Needs `clock.lua` and `seats.lua`. In: the seat.

leave_seat(ARGV[1])
return 0
