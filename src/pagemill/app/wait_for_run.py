"""Notices, while a command waits for a run, that the run cannot end by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from redis import Redis

from pagemill.app.parts import brisk_redis
from pagemill.config.loading import load_config
from pagemill.config.platform import Platform
from pagemill.config.remedies import Remedy
from pagemill.config.settings import Config
from pagemill.errors import ConfigError, RedisUnavailable, RunIncomplete, RunStranded
from pagemill.fleet.stranded_runs import Cause, Stranded, StrandedWatch, read_stranded
from pagemill.results.runs import RunProgress, broke_off
from pagemill.results.store import ResultStore

_LOOK_S = 5.0
_PATIENCE_S = 60.0


@contextmanager
def noticing_stranded(
    config: Config, store: ResultStore, run: str, tell: Callable[[str], object]
) -> Iterator[Callable[[], None]]:
    """Gives a function to call again and again while one waits for a run. It calls `tell` once if the run is stranded.

    The wait goes on then, because a worker may still come, and lost batches are put back. Redis may be away.

    Args:
        config: the waiting process' configuration. Its files are read again, to see whether the platform is still
            there.
        store: open.
        run: the run's id.
        tell: gets a sentence with cause and remedy.

    Raises:
        RunStranded: by the function, when the run's platform has been configured nowhere for a minute.
    """

    def known() -> Mapping[str, Platform]:
        try:
            return load_config(config.environment.config_folder).platforms
        except ConfigError:
            return config.platforms

    with ExitStack() as parts:
        opened: list[Redis] = []

        def read() -> list[Stranded]:
            if not opened:
                opened.append(parts.enter_context(brisk_redis(config)))
            return [each for each in read_stranded(opened[0], store, known) if each.run == run]

        watch = StrandedWatch(read, _LOOK_S, 0)

        def notice() -> None:
            try:
                for each in watch.news():
                    tell(each.sentence)
            except RedisUnavailable:
                return  # the commands that need Redis report this; waiting needs only the database
            if watch.longest_s(Cause.FORGOTTEN) >= _PATIENCE_S:
                raise RunStranded(f"run {run} cannot end: {Cause.FORGOTTEN.value}. Bring its file back, or cancel it")

        yield notice


def whole_run(ended: RunProgress) -> RunProgress:
    """Returns the progress of a run that was waited for, if the run is whole.

    Raises:
        RunIncomplete: its enqueueing broke off.
    """
    if ended.broken_off and not ended.cancelled:
        raise RunIncomplete(f"run {ended.run} is incomplete: {broke_off(ended.products or 0)}; {Remedy.BROKEN_OFF}")
    return ended
