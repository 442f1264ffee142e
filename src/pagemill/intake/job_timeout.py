"""How long a batch may take before RQ stops it: the last protection from a worker that beats but makes no progress.

Pure. A stuck worker is noticed far earlier, by its missing heartbeat. A stopped batch is resumed where it was.
"""

from __future__ import annotations

import math

from pagemill.config.platform import Platform
from pagemill.config.settings import QueueSettings

FLOOR_S = 300
CEILING_S = 4 * 3600
_MARGIN = 2
_OPENING_S = 10.0
"""Seconds for each try besides navigation: to get a page and to read it (`pool.open_timeout_s`)."""


def job_timeout_s(platform: Platform | None, products: int, settings: QueueSettings) -> int:
    """Seconds that a batch of that many products may take: the setting `job_timeout_s`, or computed for `auto`.

    In the worst case each of a product's `attempts` waits the longest wait, runs into the navigation's deadline and
    backs off (doubling each time):

        product = attempts x (wait + navigation + 10 s) + backoff x (2^(attempts - 1) - 1)
        batch   = ceil(products / lanes) x product, with no more lanes than `concurrency.fleet` allows

    `max_per_minute` may be the tighter limit: attempts x products x 60 / max_per_minute. The larger value is doubled,
    because memory pressure may take lanes away and other workers share the rate. The result is limited to 5 minutes to
    4 hours. A platform that is not known gets 4 hours.
    """
    if settings.job_timeout_s != "auto":
        return settings.job_timeout_s
    if platform is None:
        return CEILING_S
    pace = platform.workflow.rate_limit
    attempts = platform.retry.attempts
    wait_s = pace.wait_time_ms.high_ms / 1000 if pace.enabled else 0.0
    try_s = wait_s + platform.navigation.timeout_ms / 1000 + _OPENING_S
    product_s = attempts * try_s + platform.retry.backoff_ms / 1000 * float(2 ** (attempts - 1) - 1)
    lanes, fleet = platform.workflow.concurrency.default, platform.workflow.concurrency.fleet
    batch_s = math.ceil(products / min(lanes, fleet or lanes)) * product_s
    if pace.enabled and pace.max_per_minute is not None:
        batch_s = max(batch_s, attempts * products * 60 / pace.max_per_minute)
    return math.ceil(min(max(_MARGIN * batch_s, FLOOR_S), CEILING_S))
