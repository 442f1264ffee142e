"""Loading the whole configuration: what comes out, and how every mistake in the files is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.loading import load_config, load_platform_file
from pagemill.config.reading.judge import VerdictSigns
from pagemill.config.section import MsRange
from pagemill.config.settings import Settings
from pagemill.errors import ConfigError, Problem

SHOP = """\
platform: shop
hosts: [www.shop.com]
extract:
  fields:
    name: h1
    price: {selector: .price, type: number}
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    (folder / "platforms").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(folder, {})
    return caught.value.problems


def test_an_empty_folder_means_the_defaults(tmp_path: Path) -> None:
    """Neither `pagemill.yaml` nor `platforms` has to be there."""
    config = load_config(tmp_path, {})
    assert config.settings == Settings()
    assert config.platforms == {}
    assert config.environment.config_folder == tmp_path


def test_settings_and_platforms_are_read(tmp_path: Path) -> None:
    """Platforms stand under their names; what is not written keeps its default."""
    other = "platform: other\nhosts: ['*.other.com']\nworkflow: {rate_limit: {wait_time_ms: 250}}\n"
    other += "extract: {strategy: jsonld, fields: {name: name}}\n"
    write(
        tmp_path,
        {"pagemill.yaml": "pool: {max_errors: 7}\n", "platforms/shop.yaml": SHOP, "platforms/other.yaml": other},
    )
    config = load_config(tmp_path, {})
    assert config.settings.pool.max_errors == 7
    assert config.settings.pool.close_timeout_s == Settings().pool.close_timeout_s
    assert list(config.platforms) == ["other", "shop"]
    assert config.platforms["other"].workflow.rate_limit.wait_time_ms == MsRange(low_ms=250, high_ms=250)
    assert config.platforms["other"].extract.fields["name"][0].path == "name"
    assert config.platforms["shop"].extract.fields["name"][0].selector == ("h1",)


def test_a_section_without_lines_keeps_its_defaults(tmp_path: Path) -> None:
    """As when all of its lines are commented out."""
    write(tmp_path, {"pagemill.yaml": "pool:\n  # max_errors: 7\nqueue:\n"})
    assert load_config(tmp_path, {}).settings == Settings()


def test_texts_do_not_displace_the_usual_statuses(tmp_path: Path) -> None:
    """`status` has to be written to change it."""
    write(tmp_path, {"platforms/shop.yaml": SHOP + "judge: {gone: {text: [Gone]}, blocked: {status: [418]}}\n"})
    judge = load_config(tmp_path, {}).platforms["shop"].judge
    assert judge.gone == VerdictSigns(status=(404, 410), text=("Gone",))
    assert judge.blocked == VerdictSigns(status=(418,))


def test_the_folder_is_the_argument_else_the_variable_else_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that order."""
    for name in ("argument", "variable", "config"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    environ = {"PAGEMILL_CONFIG": str(tmp_path / "variable")}
    assert load_config(tmp_path / "argument", environ).environment.config_folder.name == "argument"
    assert load_config(environ=environ).environment.config_folder.name == "variable"
    assert load_config(environ={}).environment.config_folder == Path("config")


def test_a_missing_folder_is_a_problem_with_a_remedy(tmp_path: Path) -> None:
    """The same for a file where the folder should be."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "absent", tmp_path / "file"):
        (problem,) = problems_of(folder)
        assert str(problem) == (
            f"{folder}: the configuration folder is not there (create it, or name another folder with PAGEMILL_CONFIG)"
        )


def test_a_folder_that_may_not_be_listed_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's reason, and without a word about missing files."""

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert {problem.message for problem in problems_of(tmp_path)} == {"cannot be read: Permission denied"}


SETTINGS_MISTAKES = [
    ("pol: {}", 1, "pol", "unknown key", "did you mean `pool`?"),
    ("pool:\n  maxErrors: 3", 2, "pool.maxErrors", "unknown key", "did you mean `max_errors`?"),
    ("queue:\n\n  batch-size: 3", 3, "queue.batch-size", "unknown key", "did you mean `batch_size`?"),
    ("batch_size: 3", 1, "batch_size", "unknown key", "it belongs at `queue.batch_size`"),
    ("guard: {profile: production}", 1, "guard.profile", "unknown key", "it belongs at `profile`"),
    ("guard: {colour: red}", 1, "guard.colour", "unknown key", "write one of: sample_interval_s"),
    (
        "queue: {batch_size: '50'}",
        1,
        "queue.batch_size",
        "expected a whole number, found text '50'",
        "remove the quotes",
    ),
    ("queue: {batch_size: 050}", 1, "queue.batch_size", "expected a whole number, found text '050'", "zeros in front"),
    (
        "queue: {batch_size: many}",
        1,
        "queue.batch_size",
        "found text 'many'",
        "write a whole number (the default is 50)",
    ),
    ("queue: {batch_size: 2.5}", 1, "queue.batch_size", "found the number 2.5", "write a whole number"),
    ("queue: {batch_size: true}", 1, "queue.batch_size", "found true", "write a whole number"),
    ("queue: {batch_size: [1]}", 1, "queue.batch_size", "found a list", "write a whole number"),
    ("queue: {batch_size: {a: 1}}", 1, "queue.batch_size", "found a section with keys", "write a whole number"),
    ("queue: {batch_size: }", 1, "queue.batch_size", "expected a whole number, found nothing", "or remove the line"),
    ("queue: {batch_size: 0}", 1, "queue.batch_size", "must be at least 1, found 0", "at least 1 (the default is 50)"),
    ("queue: {batch_size: 1001}", 1, "queue.batch_size", "must be at most 1000, found 1001", "write at most 1000"),
    ("pool: {open_timeout_s: 0}", 1, "pool.open_timeout_s", "must be more than 0, found 0", "(the default is 10)"),
    ("pool: {open_timeout_s: .inf}", 1, "pool.open_timeout_s", "must be a finite number", "write a number"),
    ("pool: {open_timeout_s: true}", 1, "pool.open_timeout_s", "expected a number, found true", "write a number"),
    ("pool: 5", 1, "pool", "expected a section with keys, found the number 5", "in the lines below, indented"),
    ("browser: {zygote: 'yes'}", 1, "browser.zygote", "expected true or false, found text", "(the default is true)"),
    ("browser: {sandbox: Auto}", 1, "browser.sandbox", "expected true or false or auto", "did you mean `auto`?"),
    ("browser: {sandbox: 1}", 1, "browser.sandbox", "found the number 1", "write true or false or auto"),
    ("queue: {job_timeout_s: 5}", 1, "queue.job_timeout_s", "must be at least 10, found 5", "(the default is auto)"),
    ("queue: {job_timeout_s: 1h}", 1, "queue.job_timeout_s", "expected a whole number or auto", "whole number or auto"),
    (
        "browser: {extra_args: --lang=ko}",
        1,
        "browser.extra_args",
        "expected a list, found text",
        "brackets: [one, two]",
    ),
    ("browser:\n  extra_args:\n  - 5", 3, "browser.extra_args.0", "expected text, found the number 5", "put quotes"),
    ("artifacts: {folder: 7}", 1, "artifacts.folder", "expected text, found the number 7", "put quotes around it"),
    (
        "queue:\n  heartbeat_interval_s: 30\n  heartbeat_ttl_s: 45",
        3,
        "queue.heartbeat_ttl_s",
        "must be at least three times heartbeat_interval_s",
        "write 90 or more",
    ),
    ("queue:\n  heartbeat_interval_s: 30", 1, "queue.heartbeat_ttl_s", "at least three times", "write 90 or more"),
    ("queue:\n  batch_size: 1\n  batch_size: 2", 3, "queue.batch_size", "is written twice", "remove one of the two"),
    ("queue: [", 2, "", "is not correct YAML", "brackets"),
]


@pytest.mark.parametrize(("content", "line", "path", "message", "remedy"), SETTINGS_MISTAKES)
def test_a_mistake_in_the_settings_is_explained(
    tmp_path: Path, content: str, line: int, path: str, message: str, remedy: str
) -> None:
    """File, line, key, plain words, remedy; one problem for one mistake."""
    write(tmp_path, {"pagemill.yaml": content + "\n"})
    (problem,) = problems_of(tmp_path)
    assert (problem.file, problem.line, problem.path) == (str(tmp_path / "pagemill.yaml"), line, path)
    assert message in problem.message
    assert remedy in problem.remedy


def shop(**changed: str) -> str:
    """A platform's file with some of its top-level keys given as YAML text."""
    keys = {"platform": "shop", "hosts": "[www.shop.com]", "extract": "{fields: {name: h1}}", **changed}
    return "".join(f"{key}: {value}\n" for key, value in keys.items() if value)


PLATFORM_MISTAKES = [
    (shop(platform=""), 1, "platform", "is missing", "add the key platform"),
    (shop(extract=""), 1, "extract", "is missing", "add the key extract"),
    (shop(extract="{strategy: dom}"), 3, "extract.fields", "is missing", "add the key fields"),
    (shop(extract="{fields: {}}"), 3, "extract.fields", "is empty", "name: h1"),
    (shop(platform="other"), 1, "platform", "is 'other', but the file is called shop.yaml", "`platform: shop`"),
    (shop(hosts="[]"), 2, "hosts", "must not be empty", "at least one host"),
    (shop(hosts="www.shop.com"), 2, "hosts", "expected a list, found text 'www.shop.com'", "in brackets"),
    (shop(hosts="[a.com, 'http://b.com/']"), 2, "hosts.1", "'http://b.com/' is not a host", "without scheme and path"),
    (shop(hosts="[127.1]"), 2, "hosts.0", "expected text, found the number 127.1", "put quotes"),
    (shop(hosts="['0x7f.1']"), 2, "hosts.0", "'0x7f.1' is not a host", "four plain decimal numbers"),
    (
        shop(workflow="{rate_limit: {wait_ms: 1}}"),
        4,
        "workflow.rate_limit.wait_ms",
        "unknown key",
        "did you mean `wait_time_ms`?",
    ),
    (shop(wait_time_ms="5"), 4, "wait_time_ms", "unknown key", "it belongs at `workflow.rate_limit.wait_time_ms`"),
    (
        shop(workflow="{rate_limit: {wait_time_ms: 3s}}"),
        4,
        "workflow.rate_limit.wait_time_ms",
        "'3s' is not a time in milliseconds",
        "3000-4000",
    ),
    (
        shop(workflow="{rate_limit: {wait_time_ms: {low_ms: 1}}}"),
        4,
        "workflow.rate_limit.wait_time_ms",
        "this is not a time in milliseconds",
        "3000-4000",
    ),
    (
        shop(workflow="{rate_limit: {wait_time_ms: 4000-3000}}"),
        4,
        "workflow.rate_limit.wait_time_ms",
        "runs backwards",
        "the smaller number first",
    ),
    (
        shop(workflow="{concurrency: {fleet: 0}}"),
        4,
        "workflow.concurrency.fleet",
        "at least 1",
        "write at least 1",
    ),
    (
        shop(workflow="{concurrency: {default: 65}}"),
        4,
        "workflow.concurrency.default",
        "at most 64",
        "(the default is 4)",
    ),
    (shop(rotation="{page: 0}"), 4, "rotation.page", "must be at least 1", "(the default is auto)"),
    (shop(rotation="{page: often}"), 4, "rotation.page", "expected a whole number or auto", "whole number or auto"),
    (
        shop(navigation="{block: [imag]}"),
        4,
        "navigation.block.0",
        "expected image, media or font",
        "did you mean `image`?",
    ),
    (
        shop(extract="{strategy: api-capture, fields: {a: b}}"),
        3,
        "extract.strategy",
        "is not a strategy",
        "api_capture",
    ),
    (shop(extract="{strategy: api_capture, fields: {a: b}}"), 3, "extract.match", "is missing", "add the URL pattern"),
    (shop(extract="{match: /api/*, fields: {a: b}}"), 3, "extract.match", "means nothing to strategy dom", "remove it"),
    (
        shop(extract="{strategy: api_capture, match: 're:(', fields: {a: b}}"),
        3,
        "extract.match",
        "is not a regular expression",
        "mend it",
    ),
    (
        shop(extract="{fetch: {sample_every: 5}, fields: {a: b}}"),
        3,
        "extract.fetch",
        "means nothing to strategy dom",
        "in_page_fetch",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: /api, fields: {a: b}}, fields: {a: b}}"),
        3,
        "extract.fetch.url",
        "the same for every product",
        "write {id}",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: 'https://b.c/{id}', fields: {a: b}}, fields: {a: b}}"),
        3,
        "extract.fetch.url",
        "b.c",
        "add the host to hosts",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: '/api/{no}', fields: {a: b}}, fields: {a: b}}"),
        3,
        "extract.fetch.url",
        "no is not known",
        "or name a group",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: '/api/{id', fields: {a: b}}, fields: {a: b}}"),
        3,
        "extract.fetch.url",
        "the same for every product",
        "write {id}",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: '/api/{id}'}, fields: {a: b}}"),
        3,
        "extract.fetch.fields",
        "is missing",
        "as a path",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {fields: {a: b}}, fields: {a: b}}"),
        3,
        "extract.fetch.fields",
        "without a url",
        "add the url",
    ),
    (
        shop(extract="{strategy: in_page_fetch, fetch: {url: '/api/{id}', fields: {c: d}}, fields: {a: b}}"),
        3,
        "extract.fetch.fields",
        "not those of extract.fields",
        "look at a, c",
    ),
    (
        shop(extract="\n  strategy: jsonld\n  fields:\n    a: b\n    c: {selector: d}"),
        7,
        "extract.fields.c",
        "strategy jsonld cannot read this",
        "write a path instead",
    ),
    (shop(extract="{fields: {a: {}}}"), 3, "extract.fields.a", "says nowhere where to read", "a selector"),
    (shop(extract="{fields: {a: }}"), 3, "extract.fields.a", "says nowhere where to read", "a selector"),
    (shop(extract="{fields: {a: ''}}"), 3, "extract.fields.a.selector", "must not be empty", "write some text"),
    (
        shop(extract="{fields: {a: {selector: b, path: c}}}"),
        3,
        "extract.fields.a",
        "both a selector and a path",
        "either",
    ),
    (
        shop(extract="{strategy: a.B, fields: {a: {path: b, attribute: c}}}"),
        3,
        "extract.fields.a.attribute",
        "goes with a selector",
        "remove it",
    ),
    (
        shop(extract="{fields: {a: {selector: b, equals: c, contains: d}}}"),
        3,
        "extract.fields.a",
        "has both equals and contains",
        "keep one",
    ),
    (
        shop(extract="{fields: {a: {selector: b, equals: no}}}"),
        3,
        "extract.fields.a.equals",
        "found false",
        "put quotes",
    ),
    (shop(extract="{fields: {a: {selector: b, regex: '('}}}"), 3, "extract.fields.a.regex", "not a regular", "mend it"),
    (
        shop(extract="{fields: {a: {selector: b, typ: text}}}"),
        3,
        "extract.fields.a.typ",
        "unknown key",
        "did you mean `type`?",
    ),
    (
        shop(extract="{fields: {a: {selector: b, type: nummer}}}"),
        3,
        "extract.fields.a.type",
        "expected text, number or boolean",
        "did you mean `number`?",
    ),
    (shop(judge="{gone: {status: [99]}}"), 4, "judge.gone.status.0", "must be at least 100", "at least 100"),
    (shop(judge="{gone: {status: 404}}"), 4, "judge.gone.status", "expected a list", "in brackets"),
    (
        shop(judge="{sold_out: {stok: 0}}"),
        4,
        "judge.sold_out.stok",
        "is not one of extract.fields",
        "write one of name",
    ),
    (shop(judge="{sold_out: {name: [1]}}"), 4, "judge.sold_out.name", "unknown key", "write one of: status, text"),
    (shop(judge="{tolerance: {price: 1}}"), 4, "judge.tolerance.price", "is not one of extract.fields", "one of name"),
    (shop(judge="{tolerance: {name: -1}}"), 4, "judge.tolerance.name", "must be at least 0", "write at least 0"),
    (shop(retry="{attempts: 0}"), 4, "retry.attempts", "must be at least 1", "(the default is 3)"),
]


@pytest.mark.parametrize(("content", "line", "path", "message", "remedy"), PLATFORM_MISTAKES)
def test_a_mistake_in_a_platform_is_explained(
    tmp_path: Path, content: str, line: int, path: str, message: str, remedy: str
) -> None:
    """File, line, key, plain words, remedy; one problem for one mistake."""
    write(tmp_path, {"platforms/shop.yaml": content})
    (problem,) = problems_of(tmp_path)
    assert (problem.file, problem.line, problem.path) == (str(tmp_path / "platforms" / "shop.yaml"), line, path)
    assert message in problem.message
    assert remedy in problem.remedy


def test_a_bad_platform_name_is_explained(tmp_path: Path) -> None:
    """The name stands in URLs, Redis keys and file names."""
    write(tmp_path, {"platforms/My Shop.yaml": shop(platform="My Shop")})
    (problem,) = problems_of(tmp_path)
    assert problem.message == "'My Shop' is not a platform's name"
    assert "small letters" in problem.remedy


def test_a_file_whose_own_name_can_be_no_platform_has_to_be_renamed(tmp_path: Path) -> None:
    """Writing its name into it would be the next mistake."""
    write(tmp_path, {"platforms/My Shop.yaml": shop()})
    (problem,) = problems_of(tmp_path)
    assert problem.remedy == "rename the file to shop.yaml"


def test_all_mistakes_of_all_files_and_of_the_environment_come_at_once(tmp_path: Path) -> None:
    """In the order of environment, settings, platforms by name, and lines."""
    bad = shop(retry="{attempts: 0, tries: 1}", judge="{sold_out: {x: 1, y: 2}}")
    write(
        tmp_path,
        {
            "pagemill.yaml": "queue:\n  batch_size: x\n  batch_size: 1\npol: 1\n",
            "platforms/a.yaml": "platform: [\n",
            "platforms/shop.yaml": bad,
            "platforms/well.yaml": shop(platform="well"),
        },
    )
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {"PAGEMILL_LOG_LEVEL": "loud"})
    places = [(Path(each.file).name, each.line, each.path) for each in caught.value.problems]
    assert places == [
        ("environment", None, "PAGEMILL_LOG_LEVEL"),
        ("pagemill.yaml", 3, "queue.batch_size"),
        ("pagemill.yaml", 2, "queue.batch_size"),
        ("pagemill.yaml", 4, "pol"),
        ("a.yaml", 2, ""),
        ("shop.yaml", 4, "retry.attempts"),
        ("shop.yaml", 4, "retry.tries"),
        ("shop.yaml", 5, "judge.sold_out.x"),
        ("shop.yaml", 5, "judge.sold_out.y"),
    ]
    assert len(str(caught.value).splitlines()) == len(places)


def test_two_files_of_one_platform_are_a_problem(tmp_path: Path) -> None:
    """Next to the one that a name differs from its file's."""
    write(tmp_path, {"platforms/a.yaml": SHOP, "platforms/shop.yaml": SHOP})
    first, second = problems_of(tmp_path)
    assert "rename the file to shop.yaml" in first.remedy
    assert second.message == "platform shop is described twice, first in a.yaml"
    assert (Path(second.file).name, second.line) == ("shop.yaml", 1)


def test_other_files_are_left_alone_but_a_misspelt_ending_is_not(tmp_path: Path) -> None:
    """Editors leave hidden files and copies behind; a `.yml` that nobody reads would be a trap."""
    write(
        tmp_path,
        {
            "platforms/.shop.yaml": "[",
            "platforms/shop.yaml.bak": "[",
            "platforms/README.md": "[",
            "platforms/shop.yml": SHOP,
            "pagemill.YAML": "",
        },
    )
    assert [(Path(each.file).name, each.message, each.remedy) for each in problems_of(tmp_path)] == [
        ("pagemill.YAML", "is not read", "rename it to pagemill.yaml"),
        ("shop.yml", "is not read", "rename it to shop.yaml"),
    ]


@pytest.mark.parametrize(
    ("content", "path", "remedy"),
    [
        (
            "PAGEMILL_API_SECRET: hunter2",
            "PAGEMILL_API_SECRET",
            "set PAGEMILL_API_SECRET in the environment or name a file",
        ),
        ("api: {secret: hunter2}", "api.secret", "set PAGEMILL_API_SECRET in the environment"),
        ("redis_url: redis://:hunter2@db", "redis_url", "set PAGEMILL_REDIS_URL in the environment or name a file"),
        ("redis: {url: redis://:hunter2@db}", "redis.url", "set PAGEMILL_REDIS_URL in the environment"),
        ("queue: {database_url: x}", "queue.database_url", "PAGEMILL_DATABASE_URL_FILE"),
        ("queue: {password: hunter2}", "queue.password", "put it into the environment"),
        ("pool: {accessToken: hunter2}", "pool.accessToken", "put it into the environment"),
        ("guard: {api-key: hunter2}", "guard.api-key", "put it into the environment"),
        ("log_level: DEBUG", "log_level", "set PAGEMILL_LOG_LEVEL in the environment, and remove it here"),
    ],
)
def test_what_belongs_in_the_environment_is_sent_there(tmp_path: Path, content: str, path: str, remedy: str) -> None:
    """Above all secrets, whose values are never repeated."""
    write(tmp_path, {"pagemill.yaml": content + "\n"})
    problems = problems_of(tmp_path)
    found = next(problem for problem in problems if problem.path == path)
    assert "does not belong in a file" in found.message
    assert remedy in found.remedy
    assert "hunter2" not in "".join(map(str, problems))


@pytest.mark.parametrize(
    "content",
    [
        "queue: {batch_size: 'redis://:hunter2@db'}",
        "browser: {extra_args: {x: hunter2}}",
        "artifacts: 'user:hunter2@db'",
        "colour: hunter2",
        "colour: [{password: hunter2}]",
        "hunter: &hunter2 x\nb: *hunter2",
    ],
)
def test_a_value_that_may_be_a_password_is_not_repeated(tmp_path: Path, content: str) -> None:
    """Whatever kind of mistake it is part of."""
    write(tmp_path, {"pagemill.yaml": content + "\n"})
    assert "hunter2" not in "".join(map(str, problems_of(tmp_path)))


@pytest.mark.parametrize("host", ["user:hunter2@www.shop.com", "http://user:hunter2@www.shop.com/"])
def test_a_password_in_a_host_is_not_repeated(tmp_path: Path, host: str) -> None:
    """It is refused for the user name."""
    write(tmp_path, {"platforms/shop.yaml": shop(hosts=f"['{host}']")})
    (problem,) = problems_of(tmp_path)
    assert "hunter2" not in str(problem)
    assert problem.remedy == "write the host alone"


def test_a_long_value_makes_no_long_message(tmp_path: Path) -> None:
    """It is cut."""
    write(tmp_path, {"platforms/shop.yaml": shop(hosts=f"['{'a' * 5000}']")})
    (problem,) = problems_of(tmp_path)
    assert len(str(problem)) < 600


ENTRY = 'entries: {nightly: {cron: "0 3 * * *", platform: shop, catalog: sql}}\n'


def test_a_scheduled_table_must_be_named_somewhere(tmp_path: Path) -> None:
    """Not only when the entry fires, in the night."""
    write(tmp_path, {"platforms/shop.yaml": SHOP, "schedule.yaml": ENTRY})
    (problem,) = problems_of(tmp_path)
    assert (problem.line, problem.path) == (1, "entries.nightly.catalog")
    assert "catalog.table in platforms/shop.yaml" in problem.remedy


@pytest.mark.parametrize("catalog", ["sql:products", "nightly.csv"])
def test_a_schedule_may_name_its_source_itself(tmp_path: Path, catalog: str) -> None:
    """A table of its own, or a file."""
    entry = ENTRY.replace("catalog: sql", f"catalog: {catalog}")
    write(tmp_path, {"platforms/shop.yaml": SHOP, "schedule.yaml": entry})
    assert load_config(tmp_path, {}).schedule.entries["nightly"].catalog == catalog


def test_a_schedule_may_be_for_several_platforms(tmp_path: Path) -> None:
    """Their table must be named, and a filter may name any field of theirs."""
    other = SHOP.replace("platform: shop", "platform: other")
    files = {"platforms/shop.yaml": SHOP, "platforms/other.yaml": other}
    entry = ENTRY.replace("platform: shop", "platform: auto")
    write(tmp_path, {**files, "schedule.yaml": entry})
    (problem,) = problems_of(tmp_path)
    assert (problem.path, problem.remedy) == ("entries.nightly.catalog", "write sql:TABLE, or a file")
    entry = entry.replace("catalog: sql", "catalog: sql:goods")
    write(tmp_path, {"schedule.yaml": entry})
    assert load_config(tmp_path, {}).schedule.entries["nightly"].platform == "auto"
    write(tmp_path, {"schedule.yaml": entry.replace("catalog:", "filter: {nothing: 1}, catalog:")})
    (problem,) = problems_of(tmp_path)
    assert (problem.path, problem.message) == ("entries.nightly.filter", "'nothing' is not one of its fields")
    write(tmp_path, {"schedule.yaml": entry.replace("auto", "nobody")})
    (problem,) = problems_of(tmp_path)
    assert (problem.path, problem.remedy) == ("entries.nightly.platform", "known are auto, other, shop")


def test_a_platform_file_can_be_loaded_alone(tmp_path: Path) -> None:
    """With the same checks."""
    write(tmp_path, {"platforms/shop.yaml": SHOP, "platforms/other.yaml": SHOP, "platforms/bad.yaml": "a: ["})
    assert load_platform_file(tmp_path / "platforms" / "shop.yaml").platform == "shop"
    for name in ("other", "bad", "absent"):
        with pytest.raises(ConfigError) as caught:
            load_platform_file(tmp_path / "platforms" / f"{name}.yaml")
        assert len(caught.value.problems) == 1
