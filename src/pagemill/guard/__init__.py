"""Watches the memory of the worker's processes and of its container. Knows no Playwright object."""
