"""Finds the files that come with pagemill beside its code: the configuration, and what containers need.

In a clone, `shipped/` has links to the clone's own files; in a wheel, copies of them. So each has one source.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "shipped"
SHIPPED_CONFIG = SHIPPED / "config"
