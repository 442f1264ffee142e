"""Whom the shop sees, as a platform file says it; and what is kept out of that file: secrets and session files."""
