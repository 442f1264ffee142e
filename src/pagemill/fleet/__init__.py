"""What workers and other processes publish in Redis, the orders that they get there, and reading the fleet back."""
