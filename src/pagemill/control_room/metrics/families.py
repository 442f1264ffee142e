"""The metric families for Prometheus: the fleet's picture in, names with values out. Pure.

`tables` lists the single values of a worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from pagemill.alerting.alert import Alert
from pagemill.control_room.figures.memory_figures import MEANINGS, memory_figures_of
from pagemill.control_room.metrics import tables
from pagemill.fleet.processes import ProcessSnapshot
from pagemill.fleet.shared_cache import Lookups
from pagemill.fleet.snapshot import WorkerSnapshot
from pagemill.fleet.tally import BUCKETS_S, LATE_BUCKETS_S
from pagemill.fleet.view import FleetPicture
from pagemill.guard.python_memory import PAUSE_BOUNDS_MS
from pagemill.model import ConnectionCounts, Verdict

S = TypeVar("S")
_BOUNDS = (*map(floatToGoString, BUCKETS_S), "+Inf")
_LATE_BOUNDS = (*map(floatToGoString, LATE_BUCKETS_S), "+Inf")
_PAUSE_BOUNDS = (*map(floatToGoString, (1e6 * bound_ms for bound_ms in PAUSE_BOUNDS_MS)), "+Inf")
"""In nanoseconds, as text."""


def alerts(raised: Sequence[Alert]) -> Metric:
    """The alerts of the last hour."""
    family = GaugeMetricFamily(
        "pagemill_alerts_last_hour", "Alerts that went out within the last hour.", labels=("name", "level", "kind")
    )
    for labels, count in sorted(Counter((alert.name, alert.level, alert.kind) for alert in raised).items()):
        family.add_metric(labels, count)
    return family


def platforms(picture: FleetPicture) -> Iterator[Metric]:
    """Queue, pace and revisits of each platform."""
    queues = GaugeMetricFamily("pagemill_queue_batches", "Batches in a platform's queue.", labels=("platform", "state"))
    for queue in picture.queues:
        for state, count in (("waiting", queue.waiting), ("at_work", queue.at_work), ("failed", queue.failed)):
            queues.add_metric((queue.platform, state), count)
    yield queues

    yield _of_platforms(
        "pagemill_platform_stranded_batches",
        "Batches of runs that cannot end by themselves: no worker takes them, or the queue has lost them.",
        (picture.stranded_batches or {}).items(),
    )
    yield _of_platforms(
        "pagemill_platform_broken_off_runs",
        "Runs of the last hour whose enqueueing broke off: they end with what was handed in by then.",
        (picture.broken_off_runs or {}).items(),
    )
    yield _of_platforms(
        "pagemill_platform_paused_seconds",
        "For how long the platform will not be visited because the shop, or somebody here, asked for that.",
        ((pace.platform, pace.paused_s) for pace in picture.paces),
    )
    yield _of_platforms(
        "pagemill_platform_breaker_open_seconds",
        "For how long the platform will not be visited because too many visits were blocked.",
        ((pace.platform, pace.open_s) for pace in picture.paces),
    )
    yield _of_platforms(
        "pagemill_platform_breaker_trying",
        "1 while the breaker waits for one visit's outcome.",
        ((pace.platform, pace.trying) for pace in picture.paces),
    )
    yield _of_platforms(
        "pagemill_platform_wait_stretch_ratio",
        "By how much waits between visits are stretched, from 1.",
        ((pace.platform, pace.slow) for pace in picture.paces),
    )
    yield _of_platforms(
        "pagemill_revisits_spared_total",
        "Products that were seen lately and not visited again, of the whole fleet since counting began.",
        ((platform, spared) for platform, (spared, _) in picture.revisits.items()),
    )
    yield _of_platforms(
        "pagemill_revisits_needed_total",
        "Products that had to be visited, where revisits are spared at all.",
        ((platform, needed) for platform, (_, needed) in picture.revisits.items()),
    )


def _of_platforms(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = _family(name, text, ("platform",))
    for platform, value in values:
        family.add_metric((platform,), value)
    return family


def presence(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """Which workers are alive. Dead workers have no other metric."""
    up = GaugeMetricFamily(
        "pagemill_worker_up", "1 for a worker that is alive, 0 for ten minutes after one has died.", labels=("worker",)
    )
    silent = GaugeMetricFamily(
        "pagemill_worker_silent_seconds", "How long ago the worker's last sign of life was.", labels=("worker",)
    )
    for worker in workers:
        up.add_metric((worker.name,), worker.is_alive)
        silent.add_metric((worker.name,), worker.silent_s)
    yield up
    yield silent


def each_worker(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """The metrics in `tables`, and those with two labels."""
    snapshots = [(worker.name, worker) for worker in workers]
    for series in (*tables.WORKER_COUNTERS, *tables.WORKER_GAUGES):
        yield _one_each(series, snapshots)
    samples = [(worker.name, worker.sample) for worker in workers if worker.sample is not None]
    for of_sample in tables.SAMPLE_GAUGES:
        yield _one_each(of_sample, samples)
    limits = [(worker.name, worker.limits) for worker in workers if worker.limits is not None]
    for of_limit in tables.LIMIT_GAUGES:
        yield _one_each(of_limit, limits)
    for spread in tables.SPREADS:
        family = GaugeMetricFamily(spread.name, spread.text, labels=("worker", spread.label))
        for worker in workers:
            for label, value in spread.values(worker).items():
                family.add_metric((worker.name, label), value)
        yield family

    kills = CounterMetricFamily(
        "pagemill_worker_oom_kills_total",
        "Processes that the kernel has killed for memory in the worker's container, which other workers may share.",
        labels=("worker", "host"),
    )
    rotations = CounterMetricFamily(
        "pagemill_worker_rotations_total",
        "Pages, contexts, browsers and drivers that were replaced by fresh ones, by what was the reason.",
        labels=("worker", "level", "reason"),
    )
    for worker in workers:
        if worker.sample is not None:
            kills.add_metric((worker.name, worker.host), worker.sample.oom_kills)
        for order, count in (dict.fromkeys(tables.USUAL_ROTATIONS, 0) | dict(worker.reasons)).items():
            level, _, reason = order.partition(" ")
            rotations.add_metric((worker.name, level, reason), count)
    yield kills
    yield rotations


def connections(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """Each worker's connections to services."""
    place = ("worker", "service")
    counts, most = _connections("pagemill_worker_connections", "A worker's", place)
    for worker in workers:
        for service, found in worker.connections.items():
            _add_connections(counts, most, (worker.name, service), found)
    yield from (counts, most)


def own_connections(found: Mapping[str, ConnectionCounts]) -> Iterator[Metric]:
    """The connections of this API process."""
    counts, most = _connections("pagemill_api_connections", "This API process'", ("service",))
    for service, each in found.items():
        _add_connections(counts, most, (service,), each)
    yield from (counts, most)


def lookups(found: Mapping[str, Lookups]) -> Iterator[Metric]:
    """The cache hits and misses of this API process."""
    hits = CounterMetricFamily(
        "pagemill_api_cache_hits_total", "Times that what was asked for was there.", labels=("cache",)
    )
    misses = CounterMetricFamily(
        "pagemill_api_cache_misses_total", "Times that somebody waited for it to be made.", labels=("cache",)
    )
    for name, each in found.items():
        hits.add_metric((name,), each.hits)
        misses.add_metric((name,), each.misses)
    yield from (hits, misses)


def _connections(name: str, whose: str, labels: Sequence[str]) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily(name, f"{whose} connections to a service, in use and idle.", labels=(*labels, "state")),
        GaugeMetricFamily(f"{name}_most", "How many of them there may be at once.", labels=labels),
    )


def _add_connections(
    counts: GaugeMetricFamily, most: GaugeMetricFamily, labels: Sequence[str], found: ConnectionCounts
) -> None:
    counts.add_metric((*labels, "in_use"), found.in_use)
    counts.add_metric((*labels, "idle"), found.idle)
    most.add_metric(labels, found.most)


def processes(found: Sequence[ProcessSnapshot]) -> Iterator[Metric]:
    """Schedulers, control APIs and supervisors; for dead ones only that they are dead."""
    place = ("role", "process")
    up = GaugeMetricFamily(
        "pagemill_process_up",
        "1 for a scheduler, control API or supervisor that is alive, 0 for ten minutes after one has died.",
        labels=place,
    )
    for process in found:
        up.add_metric((process.role, process.name), process.is_alive)
    yield up
    for series in tables.PROCESS_GAUGES:
        family = GaugeMetricFamily(series.name, series.text, labels=place)
        for process in found:
            value = series.value(process)
            if process.is_alive and value is not None:
                family.add_metric((process.role, process.name), value)
        yield family


def proxies(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """The proxies of each worker, by name."""
    place = ("worker", "proxy")
    contexts = CounterMetricFamily(
        "pagemill_proxy_contexts_total", "Contexts that were opened with a proxy, and turns of `http`.", labels=place
    )
    failures = CounterMetricFamily("pagemill_proxy_failures_total", "Times that a proxy has failed.", labels=place)
    resting = GaugeMetricFamily(
        "pagemill_proxy_resting_seconds",
        "For how long a proxy that failed is not used; 0 where it serves.",
        labels=place,
    )
    for worker in workers:
        for proxy in worker.proxies:
            labels = (worker.name, proxy.name)
            contexts.add_metric(labels, proxy.taken)
            failures.add_metric(labels, proxy.failures)
            resting.add_metric(labels, proxy.resting_s)
    yield from (contexts, failures, resting)


def memory(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """The eleven memory figures of each worker that was measured."""
    figures = [(worker.name, memory_figures_of((worker,))) for worker in workers if worker.sample is not None]
    for series in tables.MEMORY_GAUGES:
        yield _one_each(series, figures)
    collections = CounterMetricFamily("memory_gc_count_total", MEANINGS["gc_count"], labels=("worker",))
    pauses = HistogramMetricFamily("memory_gc_pause_ns", MEANINGS["gc_pause_ns"], labels=("worker",))
    for name, figure in figures:
        collections.add_metric((name,), figure.gc_count)
        if len(figure.gc_pauses) == len(_PAUSE_BOUNDS):
            pauses.add_metric((name,), _cumulative(_PAUSE_BOUNDS, figure.gc_pauses), figure.gc_pause_ns)
    yield collections
    yield pauses


def work(workers: Sequence[WorkerSnapshot]) -> Iterator[Metric]:
    """The work done, by worker and platform."""
    place = ("worker", "platform")
    products = CounterMetricFamily(
        "pagemill_products_total", "Products that were given a verdict.", labels=(*place, "verdict")
    )
    spared = CounterMetricFamily(
        "pagemill_products_spared_total", "Those of them that were seen lately and not visited.", labels=place
    )
    attempts = CounterMetricFamily("pagemill_attempts_total", "Visits, repeated ones among them.", labels=place)
    waits = CounterMetricFamily(
        "pagemill_wait_seconds_total", "What lanes have waited for their turns, all together.", labels=place
    )
    late = HistogramMetricFamily(
        "pagemill_turn_late_seconds",
        "By how much a visit begins later than its lane's wait and the fleet's pace let it.",
        labels=place,
    )
    times = HistogramMetricFamily(
        "pagemill_item_seconds", "A visited product's time: all its attempts with the pauses between.", labels=place
    )
    for worker in workers:
        for platform, tally in worker.tally.items():
            labels = (worker.name, platform)
            for verdict, count in (dict.fromkeys(Verdict, 0) | dict(tally.verdicts)).items():
                products.add_metric((*labels, str(verdict)), count)
            spared.add_metric(labels, tally.spared)
            attempts.add_metric(labels, tally.attempts)
            waits.add_metric(labels, tally.wait_s)
            if len(tally.buckets) == len(_BOUNDS):
                times.add_metric(labels, _cumulative(_BOUNDS, tally.buckets), tally.item_s)
            if len(tally.late_buckets) == len(_LATE_BOUNDS):
                late.add_metric(labels, _cumulative(_LATE_BOUNDS, tally.late_buckets), tally.late_s)
    yield from (products, spared, attempts, waits, late, times)


def _cumulative(bounds: Sequence[str], counts: Sequence[int]) -> list[tuple[str, float]]:
    """A histogram's buckets, cumulative as Prometheus needs them."""
    return list(zip(bounds, accumulate(counts), strict=True))


def _one_each(series: tables.Series[S], sources: Iterable[tuple[str, S]]) -> Metric:
    family = _family(series.name, series.text, ("worker",))
    for name, source in sources:
        value = series.value(source)
        if value is not None:
            family.add_metric((name,), value)
    return family


def _family(name: str, text: str, labels: Sequence[str]) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(name, text, labels=labels)
