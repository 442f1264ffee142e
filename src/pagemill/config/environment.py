"""Reads the environment variables: where things are, how to log, and secrets that no file may hold.

This is the only module that knows the names of the variables. A value may hold a password: no `Problem` repeats one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pagemill.config.alert_channels import ADDRESS_PREFIX
from pagemill.config.mistakes import Mistake
from pagemill.config.service_urls import database_url, redis_url
from pagemill.config.settings import Environment
from pagemill.config.visitor.secrets import CREDENTIALS_PREFIX, PROXY_PREFIX, Credentials, ProxyAddress
from pagemill.errors import Problem

FROM_FILE = frozenset(
    {
        "PAGEMILL_REDIS_URL",
        "PAGEMILL_DATABASE_URL",
        "PAGEMILL_CATALOG_URL",
        "PAGEMILL_CATALOG_WRITE_URL",
        "PAGEMILL_API_SECRET",
    }
)
"""Variables whose value may be in a file that `..._FILE` names. If both are set, the variable itself wins."""

VARIABLES = frozenset(
    {
        "PAGEMILL_CONFIG",
        "PAGEMILL_CHROMIUM",
        "PAGEMILL_LOG_FOLDER",
        "PAGEMILL_PROFILE",
        "PAGEMILL_LOG_FORMAT",
        "PAGEMILL_LOG_LEVEL",
        *FROM_FILE,
        *(f"{name}_FILE" for name in FROM_FILE),
    }
)
"""All variables that pagemill knows. Any other that starts with `PAGEMILL_` is a mistake, except the following."""

_ALERT_URL = re.compile(f"({ADDRESS_PREFIX}[A-Z0-9][A-Z0-9_]*?)(_FILE)?")
"""The address of an alert channel; its name is chosen by the user."""

_VISITOR_SECRET = re.compile(f"(({PROXY_PREFIX}|{CREDENTIALS_PREFIX})[A-Z][A-Z0-9_]*?)(_FILE)?")
"""The address of a proxy, or a user with a password, which a platform's `visitor` names."""

_SERVICE_LINK = re.compile(r".+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables that Kubernetes sets for a Service. For a Service called `pagemill...` they have our prefix."""

_TESTS_PREFIX = "PAGEMILL_TEST_"
"""Variables of the test suite. The commands that it starts inherit them."""

API_SECRET_MIN = 32
"""Characters. HS256 is only as strong as its key: a shorter one can be found by trying (RFC 7518, 3.2)."""

MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
"""The command that error messages suggest for making a secret."""

T = TypeVar("T")

_FILE_MAX_BYTES = 64 * 1024
_PLACE = "environment"


def read_environment(environ: Mapping[str, str], folder: Path | None = None) -> tuple[Environment, tuple[Problem, ...]]:
    """The settings of the environment, and every mistake in it. A wrong value is replaced by its default.

    An empty variable counts as not set.

    Args:
        environ: the variables, such as `os.environ`.
        folder: the configuration folder, if something other than `PAGEMILL_CONFIG` decides it.
    """
    reading = _Reading(environ)
    reading.refuse_unknown()
    values: dict[str, Any] = {
        "config_folder": folder or reading.path("PAGEMILL_CONFIG"),
        "chromium": reading.path("PAGEMILL_CHROMIUM"),
        "redis_url": reading.secret_url("PAGEMILL_REDIS_URL"),
        "database_url": reading.secret_url("PAGEMILL_DATABASE_URL"),
        "catalog_url": reading.secret_url("PAGEMILL_CATALOG_URL"),
        "catalog_write_url": reading.secret_url("PAGEMILL_CATALOG_WRITE_URL"),
        "api_secret": reading.api_secret("PAGEMILL_API_SECRET"),
        "alert_urls": reading.alert_urls(),
        "proxies": reading.visitor_secrets(PROXY_PREFIX, ProxyAddress.parse),
        "credentials": reading.visitor_secrets(CREDENTIALS_PREFIX, Credentials.parse),
        "log_folder": reading.path("PAGEMILL_LOG_FOLDER"),
        "profile": reading.choice("PAGEMILL_PROFILE", "profile"),
        "log_format": reading.choice("PAGEMILL_LOG_FORMAT", "log_format"),
        "log_level": reading.choice("PAGEMILL_LOG_LEVEL", "log_level"),
    }
    given = {name: value for name, value in values.items() if value is not None}
    return Environment(**given), tuple(reading.problems)


class _Reading:
    """One pass over the variables."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[Problem] = []

    def refuse_unknown(self) -> None:
        for name in sorted(self._environ):
            is_ours = name.startswith("PAGEMILL_") and not name.startswith(_TESTS_PREFIX)
            is_named = _ALERT_URL.fullmatch(name) or _VISITOR_SECRET.fullmatch(name)
            if is_ours and name not in VARIABLES and not is_named:
                near = get_close_matches(name, sorted(VARIABLES), n=1, cutoff=0.8)
                remedy = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(sorted(VARIABLES))}"
                if _SERVICE_LINK.fullmatch(name):
                    remedy = "Kubernetes tells of its Services so: write `enableServiceLinks: false` for the pod"
                self._add(name, "unknown variable", remedy)

    def path(self, name: str) -> Path | None:
        text = self._text(name)
        return Path(text) if text else None

    def choice(self, name: str, field: str) -> str | None:
        """One of the words that the model's field allows, in any case."""
        text = self._text(name)
        words = _words(Environment.model_fields[field].annotation)
        by_lower = {word.lower(): word for word in words}
        if text and text.lower() not in by_lower:
            near = get_close_matches(text.lower(), by_lower, n=1)
            remedy = f"did you mean `{by_lower[near[0]]}`?" if near else f"write one of: {', '.join(words)}"
            self._add(name, f"{text[:40]!r} is not known", remedy)
        return by_lower.get(text.lower())

    def secret_url(self, name: str) -> str | None:
        """The address of a service, from the variable or from the file that `..._FILE` names."""
        text, place = self._secret(name)
        if not text:
            return None
        try:
            return redis_url(text) if name == "PAGEMILL_REDIS_URL" else database_url(text)
        except Mistake as mistake:
            self._add(place, mistake.message, mistake.remedy)
            return None

    def alert_urls(self) -> dict[str, str]:
        """The address of each alert channel, by the end of its variable's name. The channel checks the form."""
        found: dict[str, str] = {}
        for name in self._alert_variables():
            text, place = self._secret(name)
            if not text.isprintable():
                self._add(place, "has a line break or a control character in it", "write one address in one line")
            elif text:
                found[name.removeprefix(ADDRESS_PREFIX)] = text
        return found

    def _alert_variables(self) -> list[str]:
        """The names of the variables, without `_FILE`."""
        return sorted({match[1] for name in self._environ if (match := _ALERT_URL.fullmatch(name))})

    def visitor_secrets(self, prefix: str, parse: Callable[[str], T]) -> dict[str, T]:
        """The secrets of visitors, by the end of their variables' names."""
        found: dict[str, T] = {}
        for name in self._visitor_variables():
            text, place = self._secret(name)
            if not name.startswith(prefix) or not text:
                continue
            try:
                found[name.removeprefix(prefix)] = parse(text)
            except Mistake as mistake:
                self._add(place, mistake.message, mistake.remedy)
        return found

    def _visitor_variables(self) -> list[str]:
        """The names of the variables, without `_FILE`."""
        return sorted({match[1] for name in self._environ if (match := _VISITOR_SECRET.fullmatch(name))})

    def api_secret(self, name: str) -> str | None:
        """A key for signing, from the variable or from the file that `..._FILE` names."""
        text, place = self._secret(name)
        if not text:
            return None
        if not text.isprintable():
            self._add(place, "has a line break or a control character in it", f"make one with {MAKE_KEY}")
        elif len(text) < API_SECRET_MIN:
            self._add(place, f"is shorter than {API_SECRET_MIN} characters", f"make one with {MAKE_KEY}")
        else:
            return text
        return None

    def _secret(self, name: str) -> tuple[str, str]:
        """The secret (empty if missing or wrong) and the variable that it comes from. If the variable itself is set,
        its file is not read: it may be a mere default, as in the Compose file."""
        if self._text(name) or not self._text(f"{name}_FILE"):
            return self._text(name), name
        return self._file_text(f"{name}_FILE"), f"{name}_FILE"

    def _text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def _file_text(self, name: str) -> str:
        """The file's text, empty after a problem. Its path is not repeated: by mistake, it may be the secret itself."""
        try:
            with Path(self._text(name)).open("rb") as stream:
                raw = stream.read(_FILE_MAX_BYTES + 1)
            text = raw.decode("utf-8-sig").strip()
        except OSError as error:
            what = "a URL" if "_URL" in name else "the secret"
            remedy = f"check that it exists and who may read it; {what} itself goes into {name.removesuffix('_FILE')}"
            self._add(name, f"the file it names cannot be read: {error.strerror}", remedy)
            return ""
        except UnicodeDecodeError:
            self._add(name, "the file it names is not UTF-8 text", "write the value alone into it")
            return ""
        if not text or len(raw) > _FILE_MAX_BYTES:
            fault = "too large" if text else "empty"
            self._add(name, f"the file it names is {fault}", "write the value alone into it")
            return ""
        return text

    def _add(self, name: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(_PLACE, None, name, message, remedy))


def _words(annotation: Any) -> tuple[str, ...]:
    """The words of a `Literal`, also of an optional one."""
    return tuple(
        word for branch in (annotation, *get_args(annotation)) for word in get_args(branch) if isinstance(word, str)
    )
