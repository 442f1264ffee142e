"""Connects to Redis, by URL or to an embedded server that pagemill's processes share, and tools for its users."""
