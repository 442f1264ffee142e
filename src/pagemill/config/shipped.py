"""Where the files are that come with pagemill beside its code: the configuration, and what containers need.

In a clone `shipped/` has links to the clone's own files, in a wheel their copies: there is one source of each.
"""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "shipped"
SHIPPED_CONFIG = SHIPPED / "config"
