"""How fast platforms are visited: the wait of each lane, and the limits that the whole fleet shares."""
