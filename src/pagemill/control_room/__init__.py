"""Serves the fleet to people and programs: the API, pages, metrics and reports, and the changes that they request."""
