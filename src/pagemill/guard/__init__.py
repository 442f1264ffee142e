"""Measures the worker's processes and its container, and keeps the beat. Knows no Playwright object."""
