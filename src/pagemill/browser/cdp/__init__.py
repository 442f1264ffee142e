"""Chromium without a driver: its own protocol over a pipe, spoken from this process."""
