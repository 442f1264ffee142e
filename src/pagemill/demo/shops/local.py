"""The shipped platform files of the six shops, redirected to this machine.

Owns what is changed in them: addresses, pace and time limits. What they say about reading and judging stays, so that a
run against the practice shops tests the files that are meant for the real shops.

    with StorefrontProcess(shops=True) as server:
        write_local_config(Path("config"), folder / "config", server.port)      # PAGEMILL_CONFIG of a worker
        for shop in SHOPS:
            rows = list(generate_shop(shop, shop_url(shop, server.port), 100))
            write_shop_csv(folder / f"{shop}.csv", rows)                        # pagemill enqueue FILE --platform SHOP
            right = {row.product.id: row for row in rows}
        ...
        right[result.product_id].mistakes(result.verdict, result.facts)         # () when verdict and facts are right
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pagemill.demo.shops.addresses import ADDRESSES, REAL_HOSTS, SHOPS, shop_url
from pagemill.errors import UsageError

BACKOFF_MS = 50
TIMEOUT_MS = 10_000
"""Pages of this machine do not need the half minute that a real shop gets."""

_SETTINGS = "pagemill.yaml"
_PLATFORMS = "platforms"


def localised(data: Mapping[str, Any], port: int) -> dict[str, Any]:
    """A platform file's data, redirected to the shop on this machine's server at that port. The given data do not
    change.

    In every text, `https://HOST` of any of the six shops becomes that shop's address. `hosts` becomes that of the
    platform. Waits, limits and the breaker are removed, and retries come at once.

    Raises:
        UsageError: the platform is none of the six shops.
    """
    shop = data.get("platform")
    if not isinstance(shop, str) or shop not in ADDRESSES:
        raise UsageError(f"platform {shop!r} has no practice shop: use one of {', '.join(SHOPS)}")
    local: dict[str, Any] = _replaced(dict(data), port)
    local["hosts"] = [ADDRESSES[shop]]
    workflow = dict(local.get("workflow") or {})
    pace = dict(workflow.get("rate_limit") or {})
    pace.pop("max_per_minute", None)
    workflow["rate_limit"] = pace | {"wait_time_ms": 0}
    width = dict(workflow.get("concurrency") or {})
    width.pop("fleet", None)
    workflow["concurrency"] = width
    workflow["breaker"] = dict(workflow.get("breaker") or {}) | {"enabled": False}
    local["workflow"] = workflow
    local["retry"] = dict(local.get("retry") or {}) | {"backoff_ms": BACKOFF_MS}
    navigation = dict(local.get("navigation") or {})
    local["navigation"] = navigation | {"timeout_ms": min(navigation.get("timeout_ms", TIMEOUT_MS), TIMEOUT_MS)}
    return local


def write_local_config(source: Path, target: Path, port: int) -> tuple[Path, ...]:
    """Writes a configuration folder with the six shops' platform files of `source`, for that port, and its settings.

    Returns the platform files that were written.

    Raises:
        UsageError: `source` lacks the file of a shop.
    """
    (target / _PLATFORMS).mkdir(parents=True, exist_ok=True)
    if (source / _SETTINGS).is_file():
        (target / _SETTINGS).write_bytes((source / _SETTINGS).read_bytes())
    written = []
    for shop in SHOPS:
        file = source / _PLATFORMS / f"{shop}.yaml"
        if not file.is_file():
            raise UsageError(f"{file} is not there: name the configuration folder that pagemill comes with")
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        text = yaml.dump(localised(data, port), Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=120)
        written.append(target / _PLATFORMS / file.name)
        written[-1].write_text(text, encoding="utf-8")
    return tuple(written)


class _PlainDumper(yaml.SafeDumper):
    """Writes a value that occurs twice in full both times, because pagemill accepts no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _replaced(value: Any, port: int) -> Any:
    if isinstance(value, str):
        return _ADDRESS.sub(lambda found: shop_url(_SHOP_OF[found[1]], port), value)
    if isinstance(value, dict):
        return {key: _replaced(inner, port) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, port) for inner in value]
    return value


_SHOP_OF = {host: shop for shop, hosts in REAL_HOSTS.items() for host in hosts}
_ADDRESS = re.compile(rf"https://({'|'.join(map(re.escape, _SHOP_OF))})(?![\w.:-])")
