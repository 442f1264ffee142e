"""The fleet for Prometheus: turns the fleet's picture into the text of `GET /metrics`.

Keeps nothing between two scrapes, because the workers count. Counts start again with each worker, as Prometheus
expects. Of a dead worker only its silence is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from redis import Redis, RedisError, ResponseError

from pagemill import __version__
from pagemill.alerting.alert import Alert
from pagemill.alerting.history import alerts_after
from pagemill.control_room.metrics import families
from pagemill.errors import RedisUnavailable
from pagemill.fleet.shared_cache import Lookups
from pagemill.fleet.view import FleetView
from pagemill.model import ConnectionCounts

ALERTS_SPAN_S = 3600
_MOST_ALERTS = 1000

Alerts = Callable[[], Sequence[Alert]]
"""Gives the alerts of the last hour; raises `RedisUnavailable`."""


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """The figures of the API process itself."""

    connections: Mapping[str, ConnectionCounts]
    """By service."""
    lookups: Mapping[str, Lookups]
    """By cache."""


def alerts_of_the_hour(redis: Redis) -> list[Alert]:
    """The alerts of the last hour by Redis' clock; at most a thousand.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    try:
        seconds, _ = redis.time()
        found = alerts_after(redis, f"{(seconds - ALERTS_SPAN_S) * 1000}-0", _MOST_ALERTS)
    except ResponseError:
        return []  # there is no stream yet, which is no outage
    except RedisError as error:
        raise RedisUnavailable.gone(error) from error
    return [alert for _, alert in found]


def metrics_text(
    view: FleetView, alerts: Alerts | None = None, accept: str = "", process: OwnFigures | None = None
) -> tuple[bytes, str]:
    """The answer to a scrape. Blocks for as long as Redis may take. Does not fail if Redis is away.

    Args:
        view: the fleet.
        alerts: gives the alerts of the last hour, such as `alerts_of_the_hour`; without it they are left out.
        accept: the request's `Accept` header; decides between OpenMetrics and Prometheus' text, with the same content.
        process: the figures of this process; without it they are left out.

    Returns:
        The body and its content type.
    """
    encode, content_type = choose_encoder(accept)
    return encode(FleetCollector(view, alerts, process)), content_type


class FleetCollector:
    """A collector of `prometheus_client`, for a registry or for a single answer."""

    def __init__(self, view: FleetView, alerts: Alerts | None = None, process: OwnFigures | None = None) -> None:
        """See `metrics_text`."""
        self._process = process
        self._view = view
        self._alerts = alerts

    def collect(self) -> Iterator[Metric]:
        """Every family; without Redis only the families that do not need it."""
        yield InfoMetricFamily("pagemill", "The program that answers.", {"version": __version__})
        if self._process is not None:
            yield from families.own_connections(self._process.connections)
            yield from families.lookups(self._process.lookups)
        redis_up = GaugeMetricFamily(
            "pagemill_redis_up", "1 while Redis answers. With 0, nothing is known of workers and queues."
        )
        try:
            picture = self._view.picture()
            raised = self._alerts() if self._alerts is not None else None
        except RedisUnavailable:
            redis_up.add_metric((), 0)
            yield redis_up
            return
        redis_up.add_metric((), 1)
        yield redis_up
        if raised is not None:
            yield families.alerts(raised)
        yield from families.platforms(picture)
        yield from families.presence(picture.workers)
        yield from families.each_worker(picture.alive)
        yield from families.connections(picture.alive)
        yield from families.processes(picture.processes)
        yield from families.proxies(picture.alive)
        yield from families.memory(picture.alive)
        yield from families.work(picture.alive)
