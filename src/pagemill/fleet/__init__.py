"""What workers and the processes beside them publish and hear, and the whole fleet read back from it."""
