"""What the environment says: the variables, secrets from files, and every mistake in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.environment import read_environment
from pagemill.config.settings import Environment
from pagemill.errors import Problem

DEFAULT = Environment()
SECRET = "hunter2-and-thirty-more-characters"


def only_problem(environ: dict[str, str]) -> Problem:
    """The one problem of these variables; where something is wrong, the default stands."""
    environment, problems = read_environment(environ)
    assert environment == DEFAULT
    assert "hunter2" not in "".join(map(str, problems))
    (problem,) = problems
    assert (problem.file, problem.line) == ("environment", None)
    return problem


def test_without_variables_the_defaults_stand() -> None:
    """Variables of other programs do not matter; an empty one counts as not set."""
    empty = dict.fromkeys(
        ("PAGEMILL_CONFIG", "PAGEMILL_REDIS_URL", "PAGEMILL_REDIS_URL_FILE", "PAGEMILL_LOG_LEVEL"), " "
    )
    for environ in ({}, {"PATH": "/bin", "pagemill_x": "1", "PAGEMILL_TEST_POSTGRES_URL": "x"}, empty):
        assert read_environment(environ) == (DEFAULT, ())


def test_every_variable_is_read() -> None:
    """Levels and formats in any case; white space around a value does not count."""
    environment, problems = read_environment(
        {
            "PAGEMILL_CONFIG": "/etc/pagemill",
            "PAGEMILL_REDIS_URL": " redis://:hunter2@db:6379/0\n",
            "PAGEMILL_DATABASE_URL": "sqlite:////var/lib/results.db",
            "PAGEMILL_CHROMIUM": "/usr/bin/chromium",
            "PAGEMILL_PROFILE": "Production",
            "PAGEMILL_LOG_FORMAT": "JSON",
            "PAGEMILL_LOG_LEVEL": "debug",
            "PAGEMILL_API_SECRET": f" {SECRET}\n",
        }
    )
    assert problems == ()
    assert environment == Environment(
        config_folder=Path("/etc/pagemill"),
        redis_url="redis://:hunter2@db:6379/0",
        database_url="sqlite:////var/lib/results.db",
        chromium=Path("/usr/bin/chromium"),
        profile="production",
        api_secret=SECRET,
        log_format="json",
        log_level="DEBUG",
    )
    assert "hunter2" not in repr(environment)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/",
        "redis://user:hunter2@[::1]:6380/3?socket_timeout=5",
        "rediss://cache.internal:6379/0",
        "unix:///run/redis.sock",
        "unix://user:hunter2@/run/redis.sock?db=1",
    ],
)
def test_a_redis_url_is_taken(url: str) -> None:
    """As it is."""
    environment, problems = read_environment({"PAGEMILL_REDIS_URL": url})
    assert (environment.redis_url, problems) == (url, ())


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("sqlite:///data/x.db", "sqlite:///data/x.db"),
        ("sqlite+pysqlite:///data/x.db", "sqlite+pysqlite:///data/x.db"),
        ("SQLite:///my data/x.db?timeout=5", "sqlite:///my data/x.db?timeout=5"),
        ("postgres://u:p@db/x", "postgresql+psycopg://u:p@db/x"),
        ("postgresql://u:p%40@db:5432/x?sslmode=require", "postgresql+psycopg://u:p%40@db:5432/x?sslmode=require"),
        ("postgresql+psycopg:///x?host=/run/postgresql", "postgresql+psycopg:///x?host=/run/postgresql"),
    ],
)
def test_a_database_url_names_its_driver(url: str, taken: str) -> None:
    """PostgreSQL is spoken to by psycopg however the URL is written."""
    environment, problems = read_environment({"PAGEMILL_DATABASE_URL": url})
    assert (environment.database_url, problems) == (taken, ())


@pytest.mark.parametrize(
    ("name", "value", "message", "remedy"),
    [
        ("PAGEMILL_REDIS_ULR", "redis://:hunter2@db", "unknown variable", "did you mean `PAGEMILL_REDIS_URL`?"),
        ("PAGEMILL_HUNTER", "hunter2", "unknown variable", "known are PAGEMILL_API_SECRET, "),
        ("PAGEMILL_REDIS_SERVICE_HOST", "hunter2", "unknown variable", "enableServiceLinks: false"),
        ("PAGEMILL_REDIS_SERVICE_PORT_REDIS", "hunter2", "unknown variable", "enableServiceLinks: false"),
        ("PAGEMILL_API_PORT_8003_TCP_ADDR", "hunter2", "unknown variable", "enableServiceLinks: false"),
        ("PAGEMILL_API_PORT", "hunter2", "unknown variable", "enableServiceLinks: false"),
        ("PAGEMILL_LOG_LEVEL", "warn", "'warn' is not known", "did you mean `WARNING`?"),
        ("PAGEMILL_LOG_LEVEL", "7", "'7' is not known", "DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("PAGEMILL_LOG_FORMAT", "xml", "'xml' is not known", "auto, json, console"),
        ("PAGEMILL_REDIS_URL", "hunter2", "is not a Redis URL", "redis://host:6379/0"),
        ("PAGEMILL_REDIS_URL", "http://:hunter2@db", "is not a Redis URL", "unix:///path"),
        ("PAGEMILL_REDIS_URL", "localhost:6379", "is not a Redis URL", "redis://host:6379/0"),
        ("PAGEMILL_REDIS_URL", "redis://", "names no host", "redis://host:6379/0"),
        ("PAGEMILL_REDIS_URL", "redis:/db", "names no host", "redis://host:6379/0"),
        ("PAGEMILL_REDIS_URL", "redis://:hunter2@db:x/0", "host or port is wrong", "%2F"),
        ("PAGEMILL_REDIS_URL", "redis://:hunter2#1@db/0", "host or port is wrong", "%23"),
        ("PAGEMILL_REDIS_URL", "redis://[hunter2@db/0", "host or port is wrong", "%5B"),
        ("PAGEMILL_REDIS_URL", "redis://db/hunter2", "a database that is not a number", "redis://host:6379/0"),
        ("PAGEMILL_REDIS_URL", "redis://db\n/0", "a line break", "one line"),
        ("PAGEMILL_REDIS_URL", "unix://", "names no socket", "three slashes"),
        ("PAGEMILL_REDIS_URL", "unix://run/redis.sock", "names no socket", "three slashes"),
        ("PAGEMILL_DATABASE_URL", "data/x.db", "is not a database URL that is supported", "sqlite:///path"),
        ("PAGEMILL_DATABASE_URL", "mysql://u:hunter2@db/x", "is not a database URL that is supported", "postgresql://"),
        ("PAGEMILL_DATABASE_URL", "sqlite://data/x.db", "too few slashes", "sqlite:///"),
        ("PAGEMILL_DATABASE_URL", "sqlite://", "names no file", "sqlite:///path"),
        ("PAGEMILL_DATABASE_URL", "sqlite:///:memory:", "names no file", "sqlite:///path"),
        ("PAGEMILL_DATABASE_URL", "postgresql+psycopg2://u:hunter2@db/x", "names a PostgreSQL driver", "postgresql://"),
        ("PAGEMILL_DATABASE_URL", "postgresql://u:hunter2/@db/x", "host or port is wrong", "%2F"),
        ("PAGEMILL_REDIS_URL_FILE", "/absent/hunter2", "cannot be read: No such file", "check that it exists"),
        (
            "PAGEMILL_REDIS_URL_FILE",
            "redis://:hunter2@db",
            "cannot be read",
            "a URL itself goes into PAGEMILL_REDIS_URL",
        ),
        ("PAGEMILL_DATABASE_URL_FILE", "/", "cannot be read: Is a directory", "PAGEMILL_DATABASE_URL"),
        ("PAGEMILL_API_SECRET", "hunter2", "is shorter than 32 characters", "secrets.token_urlsafe(48)"),
        ("PAGEMILL_API_SECRET", "hunter2" * 4 + "123", "is shorter than 32 characters", "secrets.token_urlsafe(48)"),
        ("PAGEMILL_API_SECRET", f"{SECRET}\n{SECRET}", "a line break", "secrets.token_urlsafe(48)"),
        ("PAGEMILL_API_SECRET_FILE", SECRET, "cannot be read", "the secret itself goes into PAGEMILL_API_SECRET"),
    ],
)
def test_a_mistake_is_explained(name: str, value: str, message: str, remedy: str) -> None:
    """With the variable's name and a remedy, and without its value where that may hold a password."""
    problem = only_problem({name: value})
    assert problem.path == name
    assert message in problem.message
    assert remedy in problem.remedy


@pytest.mark.parametrize("name", ["PAGEMILL_REDIS_URL", "PAGEMILL_DATABASE_URL"])
def test_a_url_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    """As orchestrators hand secrets over; a line break at its end does not count."""
    secret = tmp_path / "secret"
    url = "redis://:hunter2@db/0" if "REDIS" in name else "postgresql+psycopg://u:hunter2@db/x"
    secret.write_text(url + "\r\n", encoding="utf-8-sig")
    environment, problems = read_environment({f"{name}_FILE": str(secret), name: ""})
    assert problems == ()
    assert url in (environment.redis_url, environment.database_url)


@pytest.mark.parametrize("secret", [SECRET, "h" * 32, "redis://" + SECRET, "비밀" * 16])
def test_the_secret_of_the_api_is_any_text_that_is_long_enough(tmp_path: Path, secret: str) -> None:
    """It is no URL; white space around it in its file does not count, and nothing shows it."""
    file = tmp_path / "secret"
    file.write_text(f"\n {secret} \r\n", encoding="utf-8-sig")
    for environ in ({"PAGEMILL_API_SECRET": secret}, {"PAGEMILL_API_SECRET_FILE": str(file)}):
        environment, problems = read_environment(environ)
        assert (environment.api_secret, problems) == (secret, ())
        assert secret not in repr(environment)


def test_a_short_secret_in_a_file_is_a_problem_of_the_file(tmp_path: Path) -> None:
    """Under the name of the variable that names it."""
    file = tmp_path / "secret"
    file.write_text("hunter2")
    assert only_problem({"PAGEMILL_API_SECRET_FILE": str(file)}).path == "PAGEMILL_API_SECRET_FILE"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * 70_000, "is too large"),
        (b"hunter2", "is not a Redis URL"),
    ],
)
def test_a_bad_secret_file_is_explained(tmp_path: Path, content: bytes, message: str) -> None:
    """Under the name of the variable that names it."""
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    problem = only_problem({"PAGEMILL_REDIS_URL_FILE": str(secret)})
    assert problem.path == "PAGEMILL_REDIS_URL_FILE"
    assert message in problem.message
    assert problem.remedy


@pytest.mark.parametrize("name", ["PAGEMILL_REDIS_URL", "PAGEMILL_DATABASE_URL", "PAGEMILL_API_SECRET"])
def test_a_value_beats_a_file(name: str) -> None:
    """Which may be a default, such as the Compose file's, and need not even be there."""
    good = {"PAGEMILL_DATABASE_URL": "postgresql://db/x", "PAGEMILL_API_SECRET": SECRET}.get(name, "redis://db")
    environment, problems = read_environment({name: good, f"{name}_FILE": "/absent"})
    assert problems == ()
    field = name.removeprefix("PAGEMILL_").lower()
    assert getattr(environment, field).endswith(good.removeprefix("postgresql"))


def test_a_folder_given_otherwise_beats_the_variable() -> None:
    """As the option of a command does."""
    environment, _ = read_environment({"PAGEMILL_CONFIG": "/etc/pagemill"}, Path("elsewhere"))
    assert environment.config_folder == Path("elsewhere")
