"""Text of strangers on its way to a terminal, a log or a CSV: nothing in it steers what shows it."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys
from pathlib import Path

import pytest

from pagemill.cli.ending import end_with
from pagemill.cli.wording import output_console, table
from pagemill.errors import PagemillError
from pagemill.model import Difference, ItemResult, Verdict
from pagemill.results.export import as_record, changes, write_csv, write_jsonl, write_records_csv, write_table
from pagemill.results.tables import write_changes_table, write_history_table
from pagemill.telemetry.logging import close_logging, get_logger, set_up_logging
from tests.unit.cli.command import logging_kept, run
from tests.unit.results.result_values import make_result

ATTACKS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "rename the window": "\x1b]0;owned\x07",
    "write the clipboard": "\x1b]52;c;bHM=\x1b\\",
    "eight bits": "\x9b2J\x9d0;owned\x9c",
    "a link": "\x1b]8;;https://evil.example\x1b\\cheap\x1b]8;;\x1b\\",
    "backspaces": "sold out\x08\x08\x08\x08\x08\x08\x08\x08in stock",
    "delete": "\x7f\x7f",
    "turned letters": "\u202egnp.exe\u202c",
    "isolated letters": "\u2067abc\u2069",
    "line separators": "a\u2028b\u2029c\x85d",
    "half a pair": "\ud83d",
}
STEERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Whatever does, but for tabs and line ends."""

attacks = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def hostile(attack: str) -> ItemResult:
    return make_result(
        f"A{attack}",
        verdict=Verdict.CHANGED,
        reason=f"name: x -> {attack}",
        differences=(Difference("name", "x", f"y{attack}"),),
        facts={"name": f"y{attack}", "price": 5},
        final_url=f"https://www.shop.com/{attack}",
    )


@attacks
def test_no_table_of_results_steers_the_terminal(attack: str) -> None:
    """Results, changes and histories; what was there is still seen."""
    for draw in (write_table, write_changes_table, write_history_table):
        out = io.StringIO()
        draw([hostile(attack)], out, width=300)
        assert STEERS.search(out.getvalue()) is None
        assert "\\u" in out.getvalue()


@attacks
def test_no_table_of_a_command_steers_the_terminal(attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a text is a cell, a title or a line of its own."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    drawn = table(f"Title {attack}", "what", f"more {attack}")
    drawn.add_row(f"cell {attack}", attack)
    console = output_console()
    console.print(drawn)
    console.print(f"  line {attack}")
    assert STEERS.search(out.getvalue()) is None


@attacks
def test_json_lines_say_the_same_and_steer_nothing(attack: str) -> None:
    """The values are read again as they were."""
    out = io.StringIO()
    result = hostile(attack)
    write_jsonl([result], out)
    assert STEERS.search(out.getvalue()) is None
    assert json.loads(out.getvalue()) == as_record(result)


@attacks
@pytest.mark.parametrize("excel", [False, True])
def test_csv_steers_nothing(attack: str, excel: bool) -> None:
    """Its JSON cells are read as they were, its texts have the character's number."""
    out = io.StringIO(newline="")
    result = hostile(attack)
    write_csv([result], out, excel=excel)
    write_records_csv(("field", "found"), changes([result]), out, excel=excel)
    assert STEERS.search(out.getvalue()) is None
    row = next(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    if not excel:
        assert json.loads(row["facts"]) == as_record(result)["facts"]
        assert row["reason"] == STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", result.reason)


def test_numbers_of_an_export_stay_numbers() -> None:
    """A negative one is no formula."""
    out = io.StringIO(newline="")
    write_records_csv(("found", "expected"), [{"found": -5, "expected": -0.5}], out, excel=True)
    assert out.getvalue().splitlines()[1] == "-5,-0.5"


def test_csv_on_a_terminal_overwrites_no_line() -> None:
    """In a file a carriage return stays what it was."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal(newline="")
    write_csv([make_result("A", reason="sold out\rok")], terminal)
    assert "sold out ok" in terminal.getvalue()


@attacks
@pytest.mark.parametrize("form", ["json", "console"])
def test_no_log_line_steers_the_terminal(attack: str, form: str, tmp_path: Path) -> None:
    """Neither by an event's values, nor by an exception, nor by what other libraries say; nor do the log files."""
    stream = io.StringIO()
    with logging_kept():
        set_up_logging(form, stream=stream, folder=tmp_path)
        try:
            raise ValueError(attack)
        except ValueError:
            get_logger("test").exception("Item", reason=f"no {attack}", found=[attack], url=attack)
        logging.getLogger("another").warning("said %s", attack)
        close_logging()
    for text in (stream.getvalue(), (tmp_path / "combined.log").read_text()):
        assert STEERS.search(text) is None
        assert "Item" in text


def test_no_value_begins_a_log_line_of_its_own() -> None:
    """Or a page could write lines that never happened."""
    stream = io.StringIO()
    with logging_kept():
        set_up_logging("console", stream=stream)
        get_logger("test").info("Item", reason="x\r\n2026-11-29 [INFO] Batch done")
        close_logging()
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("attack", [text for name, text in ATTACKS.items() if name != "half a pair"])
def test_no_error_steers_the_terminal(attack: str, tmp_path: Path) -> None:
    """What a file says is quoted in errors."""
    folder = tmp_path / "config" / "platforms"
    folder.mkdir(parents=True)
    key = json.dumps(attack)
    (folder / "shop.yaml").write_text(
        f"platform: shop\nhosts: [www.shop.com]\n{key}: 1\nextract: {{fields: {{a: h1}}}}\n"
    )
    for command in ("check", "results", "--debug results"):
        said = run(tmp_path, *command.split())
        assert said.code == 2
        assert STEERS.search(said.out + said.err) is None


def test_an_error_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Several mistakes stand one below the other."""
    with pytest.raises(SystemExit):
        end_with(PagemillError("one\x1b[2J\ntwo"))
    assert capsys.readouterr().err == "pagemill: one\\u001b[2J\ntwo\n"


@attacks
def test_no_bad_row_steers_the_terminal(attack: str, tmp_path: Path) -> None:
    """A catalogue may come from a supplier."""
    folder = tmp_path / "config" / "platforms"
    folder.mkdir(parents=True)
    (folder / "shop.yaml").write_text("platform: shop\nhosts: [www.shop.com]\nextract: {fields: {name: h1}}\n")
    line = json.dumps({"id": f"A{attack}", "url": f"no address {attack}", f"col{attack}": attack})
    (tmp_path / "rows.jsonl").write_text(line + "\n")
    said = run(tmp_path, "enqueue", "rows.jsonl", "--platform", "shop", "--strict")
    assert said.code != 0
    assert STEERS.search(said.out + said.err) is None
