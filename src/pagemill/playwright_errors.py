"""Playwright's errors without the rest of it: pages raise them with its driver and without.

Without the driver a worker needs nothing else of Playwright at run time; types are imported for type checks only.
Playwright's `async_api` has the same classes, and with them a hundred modules that take 7 MB of every worker.
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
