"""structlog without rich, which it loads to draw tracebacks. No line of ours has one that is drawn, and every process
would keep 4 MB for it. Where rich or structlog was loaded before, as by a program of a user's own, nothing changes.
"""

from __future__ import annotations

import sys

_DRAWS = "rich"

if _DRAWS in sys.modules:
    import structlog
else:
    sys.modules[_DRAWS] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        import structlog
    finally:
        del sys.modules[_DRAWS]

__all__ = ["structlog"]
