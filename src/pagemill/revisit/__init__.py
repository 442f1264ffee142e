"""Which products need not be visited again yet: what was last seen of them, and for how long that holds."""
