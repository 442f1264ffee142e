"""Checks a Redis URL, and says how to show it in a message.

Must not connect, and must not put the password into a message.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import redis

from pagemill.errors import UsageError

_REMEDY = (
    "write redis://host:6379/0, with special characters of the password percent-encoded, or leave it empty "
    "for the embedded server"
)


def shown_address(redis_url: str) -> str:
    """`host:port`, or the path of a Unix socket: the part of the URL that a message may show.

    Raises:
        UsageError: it is not a Redis URL.
    """
    try:
        # The parser's own messages quote parts of the URL, and so perhaps of the password. They are not passed on.
        # Creating a connection object also finds unknown options; it does not connect yet.
        redis.ConnectionPool.from_url(redis_url).make_connection()
        parts = urlsplit(redis_url)
        if parts.scheme == "unix":
            return parts.path
        host = parts.hostname or "localhost"
        return f"{host}:{parts.port or 6379}"
    except (ValueError, TypeError):
        raise UsageError(f"PAGEMILL_REDIS_URL is not a Redis URL: {_REMEDY}") from None
