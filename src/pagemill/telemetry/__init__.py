"""Log lines: their set-up and the fixed names of their events."""
