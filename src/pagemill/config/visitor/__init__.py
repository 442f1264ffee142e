"""Whom the shop sees: the part of a platform file about it, and secrets and session files that must not be in it."""
