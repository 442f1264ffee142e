"""Reading a Redis URL: is it one, and how may it be shown.

Must not connect, and must not let the password into a message.
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
        # The parser's own messages quote parts of the text, and so perhaps of the password: they are not passed on.
        # Making a connection object also catches unknown options; nothing is connected yet.
        redis.ConnectionPool.from_url(redis_url).make_connection()
        parts = urlsplit(redis_url)
        if parts.scheme == "unix":
            return parts.path
        host = parts.hostname or "localhost"
        return f"{host}:{parts.port or 6379}"
    except (ValueError, TypeError):
        raise UsageError(f"PAGEMILL_REDIS_URL is not a Redis URL: {_REMEDY}") from None
