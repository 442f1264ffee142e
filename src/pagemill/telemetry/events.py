"""The name of every log event. People and scripts grep for these texts: never change one, add new ones freely.

The word `timeout` stands in the line of every time-out and in no other.
"""

from __future__ import annotations

PAGE_ROTATION = "Page Rotation"
CONTEXT_ROTATION = "Context Rotation"
BROWSER_ROTATION = "Browser Rotation"
DRIVER_ROTATION = "Driver Rotation"
MEMORY = "Memory"
PRESSURE = "Pressure"
ITEM = "Item"
BATCH = "Batch"

BROWSER_LAUNCHED = "Browser Launched"
BROWSER_LOST = "Browser Lost"
LAUNCH_FAILED = "Launch Failed"
CLOSE_ESCALATED = "Close Escalated"
TIMEOUT = "timeout"
WORKER_SPAWNED = "Worker Spawned"
WORKER_ENDED = "Worker Ended"
WORKER_STARTED = "Worker Started"
WORKER_DRAINING = "Worker Draining"
WORKER_STOPPED = "Worker Stopped"
WORKER_UNFIT = "Worker Unfit"
BATCH_RETURNED = "Batch Returned"
BATCH_GIVEN_UP = "Batch Given Up"
RESULTS_DELAYED = "Results Delayed"
ORPHANS_SWEPT = "Orphans Swept"
ARTIFACT_LOST = "Artifact Lost"
REDIS_STARTED = "Redis Started"
PACING_WAITS = "Pacing Waits"
REDIS_AWAY = "Redis Away"
REDIS_BACK = "Redis Back"
REDIS_POLICY = "Redis Policy"
UNEXPECTED = "Unexpected Error"
