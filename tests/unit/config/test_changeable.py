"""The guard's settings that can be changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from pagemill.config.changeable import CHANGEABLE, changeable_values, changed, in_force
from pagemill.config.settings import GuardSettings


def test_settings_have_the_names_that_the_guides_gave_them() -> None:
    """Clients and Redis know them by these."""
    assert {each.mark.name: key for key, each in CHANGEABLE.items()} == {
        "monitoring_interval_seconds": "sample_interval_s",
        "cleanup_interval_seconds": "cleanup_interval_s",
        "gc_interval_seconds": "gc_interval_s",
        "recover_threshold": "recover_percent",
        "warning_threshold": "warning_percent",
        "cleanup_threshold": "cleanup_percent",
        "critical_threshold": "critical_percent",
        "emergency_threshold": "emergency_percent",
        "enable_auto_gc": "enable_auto_gc",
        "max_cache_size": "max_cache_size",
        "cache_cleanup_ratio": "cache_cleanup_ratio",
        "max_history_size": "history_size",
        "enable_alerts": "alerts_enabled",
        "alert_cooldown_minutes": "alerts_cooldown_minutes",
    }
    assert {each.mark.figure: key for key, each in CHANGEABLE.items() if each.mark.figure} == {
        "high_water_mark": "cleanup_percent",
        "low_water_mark": "recover_percent",
        "alert_threshold": "critical_percent",
    }


def test_values_lead_back_to_the_same_settings() -> None:
    """Whatever was changed, those of a section below too."""
    settings = changed(GuardSettings(), {"warning_percent": 65.0, "alerts_cooldown_minutes": 3})
    assert (settings.warning_percent, settings.alerts.cooldown_minutes) == (65.0, 3)
    assert changed(GuardSettings(), changeable_values(settings)) == settings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cleanup_percent": 50.0}, "must be above"),
        ({"history_size": 0}, "greater than or equal to 1"),
        ({"alerts_cooldown_minutes": 1441}, "less than or equal to 1440"),
        ({"unheard_of": 1}, "Extra inputs"),
        ({"alerts": False}, "valid dictionary"),
    ],
)
def test_changes_are_checked_as_the_file_is(changes: Mapping[str, Any], said: str) -> None:
    """And where nobody can be told, none of them counts."""
    with pytest.raises(ValidationError, match=said):
        changed(GuardSettings(), changes)
    assert in_force(GuardSettings(), {"max_cache_size": 5, **changes}) == GuardSettings()
