"""What the control API does to the fleet, and what goes on behind its answers."""
