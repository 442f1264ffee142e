"""Finds the platform of each row in a mixed catalogue: the one whose hosts include the host of the row's URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pagemill.config.platform import Platform
from pagemill.config.web_address import HostAndPort, host_and_port_of
from pagemill.intake.row_reader import Numbers, RowReader, read_url
from pagemill.intake.rows import BadRow, RawRow
from pagemill.model import Product

_MAX_KNOWN = 1000
_USUAL_PORTS = (80, 443)


class ReaderByHost:
    """Reads the rows of one catalogue by the rules of several platforms."""

    def __init__(self, platforms: Mapping[str, Platform], on_bad_row: Callable[[BadRow], None]) -> None:
        self._readers = {name: RowReader(platform, on_bad_row) for name, platform in platforms.items()}
        self._rules = {name: platform.host_rules() for name, platform in platforms.items()}
        self._known: dict[HostAndPort, list[str]] = {}

    def read(self, row: RawRow, numbers: Numbers) -> Product:
        """The product in a row, with its platform.

        Raises:
            ValueError: the row is bad; the message is the reason.
        """
        platform = self._platform_of(read_url(row.values))
        return replace(self._readers[platform].read(row, numbers), platform=platform)

    def _platform_of(self, url: str) -> str:
        place = host_and_port_of(url)
        if isinstance(place, str):
            raise ValueError(place)
        if place not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[place] = [name for name, rules in self._rules.items() if rules.refusal(url) is None]
        names = self._known[place]
        host = place.host if place.port in _USUAL_PORTS else f"{place.host}:{place.port}"
        if not names:
            raise ValueError(f"host {host} is not one of any platform's hosts: add it to those of its platform")
        if len(names) > 1:
            raise ValueError(
                f"host {host} is one of the hosts of {' and '.join(names)}: queue such rows in a catalogue of "
                f"their own, with --platform {names[0]} or another"
            )
        return names[0]
