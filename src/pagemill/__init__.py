"""Validates product catalogues against live shop pages with real browsers, in flat memory."""

__version__ = "0.1.0"
