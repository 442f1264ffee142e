"""What the control API does to the fleet, and the work that goes on after its answers."""
