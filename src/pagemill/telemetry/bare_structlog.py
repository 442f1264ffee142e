"""Loads structlog without rich, with which it draws tracebacks: none of our lines has one that is drawn, and each
process would keep 4 MB for it. What is loaded already stays as it is.

For processes of the command line alone: in a program of a user's own structlog is the user's.
"""

from __future__ import annotations

import sys

if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own mark for a module that cannot be imported
    try:
        import structlog as structlog
    finally:
        del sys.modules["rich"]
