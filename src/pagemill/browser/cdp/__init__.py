"""Chromium without a driver: this process speaks Chromium's own protocol (CDP) over a pipe."""
