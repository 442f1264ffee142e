"""The one table of remedies for faults of a fleet, in the words of files and commands.

Recommendations and reports of the control room, alerts, `pagemill status` and `pagemill check` state a fault and end
the sentence with its remedy from here. The remedies for mistakes in files are not here, but where these are found.
"""

from __future__ import annotations

from enum import StrEnum


class Remedy(StrEnum):
    """The remedy for one fault, as the end of a sentence about it.

    `format` replaces `{platform}` or `{run}` in it by the name.
    """

    NO_WORKER = "start one with `pagemill worker`"
    UNSERVED = "start one: pagemill worker --platform {platform}"
    FORGOTTEN = "bring config/platforms/{platform}.yaml back and start a worker, or end the run: pagemill cancel {run}"
    LOST = "a worker or scheduler puts them back within a minute, where Redis has room"
    BROKEN_OFF = (
        "enqueue its catalogue again; the scheduler goes on with its own, and so does the same request over HTTP with "
        "its Idempotency-Key"
    )
    STRANDED = "`pagemill status` names the runs and what to do"
    STUCK = "see in `pagemill status` whether a worker serves it; if they are busy with other platforms, start more"
    SILENT = "see its last log lines, and dmesg for OOM kills"
    GIVEN_UP = "the log says why (`Batch Given Up`); enqueue their products again"

    SHORT_OF_MEMORY = "give it more memory, or lower `workflow.concurrency.default` or `rotation.page` of its platforms"
    OOM_KILLED = (
        "raise the memory limit of its container, or lower `workflow.concurrency.default` of its platforms; "
        "`pagemill check` shows what fits"
    )
    GROWING = (
        "unless workers were added, lower `rotation.page` and `rotation.context` of the platforms, and look for "
        "`Leak Suspected` in the log"
    )
    SHORT_OF_SHM = "give its container a larger shm_size"
    SHORT_OF_CPU = "give it more CPUs, or lower `workflow.concurrency.default` of its platforms"
    COLLECTING = "look at what strategies of your own keep, and at registered caches"

    BLOCKED = "raise `workflow.rate_limit.wait_time_ms` of the platform, or lower its `max_per_minute`"
    FAILED = (
        "`pagemill results --verdict failed` says why; if the shop has changed, `pagemill mend {platform}` tells "
        "what to change in its file"
    )
    RETRIED = "look at the shop's answers and at `navigation.timeout_ms`"
    SLOW = "block what the page need not load (`navigation.block`), or give the worker fewer lanes"
    SELDOM_SPARED = "raise `revisit.min_ttl_s`"


ANY_PLATFORM = "NAME"
"""Replaces `{platform}` in a sentence that is not about a single platform."""
