"""Chromium: the only code that launches, opens or closes a browser, a context or a page."""
