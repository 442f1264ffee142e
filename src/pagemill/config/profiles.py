"""Ready-made defaults of the guard: how much memory it may plan with, and how early it acts.

`development` suits a laptop, `production` a container of 2 GB, `high_load` one of 4 GB that is always busy.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

ProfileName = Literal["development", "production", "high_load"]

PROFILES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "development": {
            "sample_interval_s": 30,
            "cleanup_interval_s": 300,
            "gc_interval_s": 300,
            "recover_percent": 60,
            "warning_percent": 70,
            "cleanup_percent": 80,
            "critical_percent": 90,
            "emergency_percent": 95,
            "memory_limit_mb": 512,
            "js_heap_limit_mb": 256,
        },
        "production": {
            "sample_interval_s": 30,
            "cleanup_interval_s": 600,
            "gc_interval_s": 600,
            "recover_percent": 50,
            "warning_percent": 65,
            "cleanup_percent": 75,
            "critical_percent": 85,
            "emergency_percent": 90,
            "memory_limit_mb": 2048,
            "js_heap_limit_mb": 1024,
        },
        "high_load": {
            "sample_interval_s": 15,
            "cleanup_interval_s": 180,
            "gc_interval_s": 180,
            "recover_percent": 40,
            "warning_percent": 60,
            "cleanup_percent": 70,
            "critical_percent": 80,
            "emergency_percent": 85,
            "memory_limit_mb": 4096,
            "js_heap_limit_mb": 2048,
        },
    }
)
"""Profile to settings of `guard:`."""
