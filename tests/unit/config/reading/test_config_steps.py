"""What a platform says of steps before reading: short forms are accepted, and every mistake explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from pagemill.config.loading import load_config
from tests.unit.config.test_config_loading import SHOP, problems_of, shop, write

MISTAKES = {
    "no kind of that name": ("{clik: h1}", "0.clik", "unknown key", "did you mean `click`?"),
    "two kinds in one": ("{click: h1, scroll: end}", "0", "has 2 kinds: click, scroll", "a step of its own"),
    "no kind": ("{}", "0", "does nothing", "write one of dismiss, click"),
    "a bare word": ("reload", "0", "is no step", "such as `click: '#more'`"),
    "a selector that is a comment": ("{click: }", "0.click", "is empty", "what begins with # needs quotes"),
    "XPath": ("{click: //button}", "0.click.selector", "is XPath", "write a CSS selector"),
    "XPath to scroll to": ("{scroll: //button}", "0.scroll.to", "is XPath", "write a CSS selector"),
    "a selector of another tool": ("{dismiss: 'button:has-text(OK)'}", "0.dismiss.selector", "is no CSS", "plain CSS"),
    "a selector that does not end": (
        "{reload_unless: 'a[b'}",
        "0.reload_unless.selector",
        "is no CSS selector",
        "mend it",
    ),
    "a step without a selector": ("{click: {within_ms: 100}}", "0.click.selector", "is missing", "add the key"),
    "a fill without a text": ("{fill: {selector: a}}", "0.fill.text", "is missing", "add the key"),
    "an unknown key of the keyboard": ("{press: enter}", "0.press.key", "is not a key", "did you mean `Enter`?"),
    "a word for a key": ("{press: {key: hello}}", "0.press.key", "is not a key", "write one character"),
    "waiting for nothing": ("{wait_for: {within_ms: 100}}", "0.wait_for", "waits for nothing", "selector or text"),
    "waiting for two": ("{wait_for: {selector: a, text: b}}", "0.wait_for", "has both", "a second step"),
    "a function that nobody calls": ("{run: '() => { go() }'}", "0.run.script", "that nobody calls", "its body alone"),
    "a limit of nothing": (
        "{click: {selector: a, within_ms: 0}}",
        "0.click.within_ms",
        "must be at least 10",
        "at least 10",
    ),
    "seconds for milliseconds": (
        "{click: {selector: a, within_s: 3}}",
        "0.click.within_s",
        "unknown key",
        "did you mean `within_ms`?",
    ),
}


@pytest.mark.parametrize(("step", "key", "message", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_step_is_explained(tmp_path: Path, step: str, key: str, message: str, remedy: str) -> None:
    """With file, line and key, in plain words, and with what to do."""
    (problem,) = problems_of(write(tmp_path, {"platforms/shop.yaml": f"{SHOP}steps:\n  - {step}\n"}))
    assert (problem.line, problem.path) == (8, f"steps.{key}")
    assert message in problem.message
    assert remedy in problem.remedy


WITHOUT_A_PAGE = {
    "requests alone": ("{strategy: http, url: '/api/{id}', fields: {a: b}}", "no page is visited", "remove them"),
    "in_page_fetch": ("{strategy: in_page_fetch, fields: {a: b}}", "do not go with in_page_fetch", "strategy dom"),
    "a class of your own": ("{strategy: a.B, fields: {a: {selector: b}}}", "visits its page itself", "in the class"),
}


@pytest.mark.parametrize(("extract", "message", "remedy"), WITHOUT_A_PAGE.values(), ids=WITHOUT_A_PAGE)
def test_steps_need_a_page_to_be_done_in(tmp_path: Path, extract: str, message: str, remedy: str) -> None:
    """What could never be done is refused, and not left out."""
    (problem,) = problems_of(write(tmp_path, {"platforms/shop.yaml": shop(extract=extract) + "steps: [click: a]\n"}))
    assert problem.path == "steps"
    assert message in problem.message
    assert remedy in problem.remedy


def test_every_step_has_a_short_form_and_a_limit(tmp_path: Path) -> None:
    """What many pages do not have is waited for less; what is filled in is not told."""
    steps = (
        "steps:\n"
        "  - dismiss: '#cookies'\n"
        "  - click: {selector: button.more, within_ms: 3000}\n"
        "  - fill: {selector: '#zip', text: 'secret'}\n"
        "  - press: Enter\n"
        "  - press: {key: Space, selector: '#zip'}\n"
        "  - wait_for: .price\n"
        "  - wait_for: {text: In stock}\n"
        "  - scroll: end\n"
        "  - scroll: .price\n"
        "  - reload_unless: .new\n"
        "  - run: (() => document.body.remove())()\n"
    )
    platform = load_config(write(tmp_path, {"platforms/shop.yaml": SHOP + steps}), {}).platforms["shop"]
    assert [(str(step), step.within_s) for step in platform.steps] == [
        ("dismiss #cookies", 2),
        ("click button.more", 3),
        ("fill #zip", 5),
        ("press Enter", 5),
        ("press Space in #zip", 5),
        ("wait for .price", 5),
        ("wait for 'In stock'", 5),
        ("scroll to end", 10),
        ("scroll to .price", 10),
        ("reload unless .new", 2),
        ("run (() => document.body.remove())()", 5),
    ]
