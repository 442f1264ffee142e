"""The way to Redis, by URL or to a private server that pagemill's processes share, and what all who go it need."""
