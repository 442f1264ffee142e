"""What watches the fleet: rules, alerts, notices, and the channels that tell them."""
