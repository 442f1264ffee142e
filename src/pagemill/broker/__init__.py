"""The way to Redis: a server by URL, or a private one that pagemill's processes share."""
