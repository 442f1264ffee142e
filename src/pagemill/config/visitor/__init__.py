"""Whom the shop sees, as a platform file says it, and what must not stand in one: secrets, and sessions from files."""
