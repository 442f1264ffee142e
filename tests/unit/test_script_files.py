"""What is not Python stands in files of its own, and each of them is a whole program of its language."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

from pagemill.script_files import read_page_script, read_script

SOURCE = Path(__file__).parents[2] / "src" / "pagemill"
FOREIGN = re.compile(r"redis\.call|=> *\{|\bfunction ?\w*\(|\b(?:const|let|local) \w+ =")
MOST_LINES = 2
"""A string with more of them is a program, if it holds such words."""

PARSE = """
const fs = require("node:fs"), { SourceTextModule } = require("node:vm");
for (const file of process.argv.slice(1)) {
  try {
    new SourceTextModule(fs.readFileSync(file, "utf8"));
  } catch (error) {
    console.log(`${file}: ${error}`);
  }
}
"""


def broken(files: list[Path]) -> str:
    """What Node says of those that it cannot parse."""
    node, _ = compute_driver_executable()
    command = [node, "--no-warnings", "--experimental-vm-modules", "--eval", PARSE, *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def long_texts(source: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every string of several lines that is no docstring."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            text = node.value
        else:
            continue
        if text.count("\n") > MOST_LINES:
            yield node.lineno, text


def sent_bare() -> set[Path]:
    """The files that some module reads for pages."""
    found = set()
    for module in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read_page_script":
                names = [each.value for each in node.args if isinstance(each, ast.Constant)]
                found |= {module.with_name(str(name)) for name in names}
    return found


def lines_of_long_texts(script: str) -> list[int]:
    """Where a text goes on in the next line: behind an odd number of backticks, or behind a backslash."""
    return [
        number
        for number, line in enumerate(script.splitlines(), 1)
        if not line.lstrip().startswith("//") and (line.replace("\\`", "").count("`") % 2 or line.endswith("\\"))
    ]


def test_every_javascript_file_can_be_parsed(tmp_path: Path) -> None:
    """Those that the dashboard loads and those that run in shops' pages."""
    wrong = tmp_path / "wrong.js"
    wrong.write_text("const page = ;")
    assert "wrong.js: SyntaxError" in broken([wrong])
    files = sorted(SOURCE.rglob("*.js"))
    assert len(files) > 40
    assert broken(files) == ""


def test_no_python_string_holds_a_program_of_another_language() -> None:
    """But the pages of the practice shops, whose scripts are part of their HTML."""
    found = [
        f"{source.relative_to(SOURCE)}:{line}"
        for source in SOURCE.rglob("*.py")
        if "demo" not in source.parts
        for line, text in long_texts(source)
        if FOREIGN.search(text)
    ]
    assert found == []


def test_every_script_is_used_by_a_module_beside_it() -> None:
    """What nobody reads any more goes."""
    for script in [*SOURCE.rglob("*.lua"), *SOURCE.rglob("*_script.js")]:
        beside = "".join(module.read_text(encoding="utf-8") for module in script.parent.glob("*.py"))
        assert f'"{script.name}"' in beside, script


def test_what_is_sent_to_pages_is_bare(tmp_path: Path) -> None:
    """No comments and no indentation, and the parts stand where they are named."""
    (tmp_path / "one.js").write_text("// Why.\n\nconst one = () => {\n  // How.\n  return 1;\n};\n")
    (tmp_path / "all.js").write_text("() => {\n  /* one */\n  return one();\n}\n")
    module = str(tmp_path / "module.py")
    one = read_page_script(module, "one.js")
    assert one == "const one = () => {\nreturn 1;\n};"
    assert read_page_script(module, "all.js", one=one) == f"() => {{\n{one}\nreturn one();\n}}"
    assert read_script(module, "all.js", "one.js").startswith("() => {\n  /* one */")


def test_every_script_for_pages_is_read_in_one_way() -> None:
    """Those of the practice shops stand in their own pages."""
    scripts = {script for script in SOURCE.rglob("*_script.js") if "demo" not in script.parts}
    assert sent_bare() == scripts
    assert len(scripts) > 10


def test_no_script_that_is_sent_bare_has_a_text_of_several_lines() -> None:
    """It would lose its indentation, and lines that look like a comment."""
    assert lines_of_long_texts("const one = `a`;\nconst text = `a\n  // b`;\n// `x`\n'a\\\n  b';") == [2, 5]
    found = {script.name: lines_of_long_texts(script.read_text(encoding="utf-8")) for script in sent_bare()}
    assert {name: lines for name, lines in found.items() if lines} == {}
