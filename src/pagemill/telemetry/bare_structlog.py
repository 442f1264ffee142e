"""Imports structlog without rich, which structlog would load to format tracebacks. No log line of pagemill needs that,
and it takes 4 MB in every process. If rich or structlog was imported before, nothing changes.

Only for processes of the command line. In a user's own program, structlog stays as the user has it.
"""

from __future__ import annotations

import sys

if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # Python's own mark for a module that cannot be imported
    try:
        import structlog as structlog
    finally:
        del sys.modules["rich"]
