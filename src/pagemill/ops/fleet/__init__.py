"""What the workers publish about themselves in Redis, read back for the whole fleet; and orders to them."""
