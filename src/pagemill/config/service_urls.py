"""Checks and completes the addresses of Redis and of the database.

They may contain a password, so no message repeats them.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from pagemill.config.mistakes import Mistake

_ENCODE = "write characters such as / # ? @ and [ in a password as %2F %23 %3F %40 and %5B"
_REDIS = "write redis://host:6379/0, rediss://host:6379/0 for TLS, or unix:///path/to/socket"
_DATABASE = "write sqlite:///path/to/file.db or postgresql://user:password@host:5432/name"
_POSTGRESQL = "postgresql+psycopg"


def redis_url(text: str) -> str:
    """The address in the form that redis-py takes.

    Raises:
        Mistake: it is no such address, or a part of it makes no sense.
    """
    parts = _split(text, "Redis")
    if parts.scheme == "unix":
        if parts.hostname or not parts.path.strip("/"):
            raise Mistake("the Redis URL names no socket", "write unix:///path/to/socket, with three slashes")
    elif parts.scheme in ("redis", "rediss"):
        if not parts.hostname:
            raise Mistake("the Redis URL names no host", _REDIS)
        # If this is not a number, redis-py silently uses database 0.
        if parts.path not in ("", "/") and not parts.path[1:].isdecimal():
            raise Mistake("the Redis URL names a database that is not a number", _REDIS)
    else:
        raise Mistake("is not a Redis URL", _REDIS)
    return _with_scheme(parts.scheme, text)


def database_url(text: str) -> str:
    """The address in the form that SQLAlchemy takes; all spellings of PostgreSQL become `postgresql+psycopg`.

    Raises:
        Mistake: it is no such address, or a part of it makes no sense.
    """
    parts = _split(text, "database")
    if parts.scheme in ("sqlite", "sqlite+pysqlite"):
        # SQLite has no host: after two slashes, the name of a folder would be taken for one.
        if parts.netloc:
            raise Mistake("the SQLite URL has too few slashes", "write sqlite:/// and then the path of the file")
        if parts.path.strip("/") in ("", ":memory:"):
            raise Mistake("the SQLite URL names no file, so no other process could see the results", _DATABASE)
        return _with_scheme(parts.scheme, text)
    if parts.scheme in ("postgres", "postgresql", _POSTGRESQL):
        return _with_scheme(_POSTGRESQL, text)
    if parts.scheme.startswith("postgresql+"):
        raise Mistake("names a PostgreSQL driver that is not used here", "write postgresql:// alone")
    raise Mistake("is not a database URL that is supported", _DATABASE)


def _split(text: str, service: str) -> SplitResult:
    if any(character < " " for character in text):
        raise Mistake(f"the {service} URL has a line break or a tab in it", "write it in one line")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        # `from None`: urllib's message quotes the address.
        raise Mistake(f"the {service} URL cannot be read: its host or port is wrong", _ENCODE) from None
    return parts


def _with_scheme(scheme: str, text: str) -> str:
    return scheme + text[text.index(":") :]
