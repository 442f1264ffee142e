"""Playwright's error classes without the rest of Playwright. Pages raise them both with its driver and without it.

A worker without the driver needs nothing else of it. Playwright's `async_api` has the same classes, but importing it
costs 7 MB in every worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Error as PlaywrightError
    from playwright.async_api import TimeoutError as PlaywrightTimeout
else:
    try:
        from playwright._impl._errors import Error as PlaywrightError
        from playwright._impl._errors import TimeoutError as PlaywrightTimeout
    except ImportError:  # they are no longer where they were
        from playwright.async_api import Error as PlaywrightError
        from playwright.async_api import TimeoutError as PlaywrightTimeout

__all__ = ["PlaywrightError", "PlaywrightTimeout"]
