"""Which products need not be visited again yet: what was seen of them last, and for how long that is good."""
