"""The Compose file: what every service of it must be, whatever runs in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

MAY_ADD = {
    "redis": {"CHOWN", "SETGID", "SETUID"},
    "postgres": {"CHOWN", "DAC_READ_SEARCH", "FOWNER", "SETGID", "SETUID"},
}
"""Both begin as root, make their files their own user's, and go on as that user."""
NETWORKS = {
    "worker": {"default", "queue", "database"},
    "scheduler": {"default", "queue", "database"},
    "api": {"default", "queue", "database", "monitoring"},
    "redis": {"queue"},
    "postgres": {"database"},
    "prometheus": {"monitoring", "boards"},
    "grafana": {"boards"},
}
"""Whom each may speak to: Grafana asks Prometheus and nobody else, Prometheus the API."""

every_service = pytest.mark.parametrize("name", SERVICES)


@every_service
def test_nothing_may_more_than_it_needs(name: str) -> None:
    """Neither write where its program is, nor gain rights that it did not begin with."""
    service = SERVICES[name]
    assert service.get("read_only") is True
    assert service.get("cap_drop") == ["ALL"]
    assert set(service.get("cap_add", [])) == MAY_ADD.get(name, set())
    assert "no-new-privileges:true" in service.get("security_opt", [])
    assert not {"privileged", "network_mode", "pid", "ipc", "userns_mode", "devices", "cgroup"} & service.keys()


@every_service
def test_nothing_can_take_the_machine(name: str) -> None:
    """Memory, processes and logs have a limit each."""
    service = SERVICES[name]
    assert {"mem_limit", "mem_reservation", "pids_limit", "logging"} <= service.keys()


@every_service
def test_nothing_is_reached_from_elsewhere(name: str) -> None:
    """Ports are published on loopback, and a service is on the networks that it needs."""
    service = SERVICES[name]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert set(service.get("networks", ["default"])) == NETWORKS[name]
    assert set(NETWORKS[name]) <= {"default", *COMPOSE["networks"]}


def test_what_holds_data_is_on_networks_that_lead_nowhere() -> None:
    """So nobody there reaches anything else, and what Prometheus asks stays inside."""
    inside = {name for name, network in COMPOSE["networks"].items() if (network or {}).get("internal")}
    assert inside == {"queue", "database", "monitoring"}


@every_service
def test_nothing_has_a_password_that_others_know(name: str) -> None:
    """It comes from a file; none stands in the Compose file, and no socket of the engine is in a container."""
    service = SERVICES[name]
    environment: dict[str, str] = service.get("environment", {})
    secret = [key for key in environment if any(word in key for word in ("PASSWORD", "SECRET", "TOKEN"))]
    assert all(key.endswith("_FILE") and environment[key].startswith("/run/") for key in secret)
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
