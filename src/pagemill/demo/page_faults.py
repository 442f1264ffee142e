"""The faults that a page commits by script, after HTTP has worked well.

Owns their JavaScript and markup; `faults` has their verdicts. A fault whose right verdict is `failed` is on a page
without facts, so that the verdict does not depend on timing.
"""

from __future__ import annotations

from pagemill.demo.faults import AFTER_READY_MS, FAULTS
from pagemill.model import Verdict

# Both overflow the renderer's stack in native code, at once and without using memory. The selector parser recurses for
# each `:not(` (Chromium 156: gone within 50 ms). If Chromium limits that one day, layout recurses for each <div> (gone
# within 1 s). A page cannot open chrome://crash, and filling the heap until V8 gives up takes gigabytes.
_CRASH = """\
try { document.querySelector(":not(".repeat(100000) + "a" + ")".repeat(100000)); } catch (error) {}
let deepest = document.body;
for (let i = 0; i < 20000; i++) deepest = deepest.appendChild(document.createElement("div"));
document.body.offsetHeight;
"""

_ENDLESS = "while (true) {}"

_DIALOGS = """\
addEventListener("beforeunload", (event) => { event.preventDefault(); event.returnValue = "stay"; });
alert("Join our club"); confirm("Are you 18?"); prompt("Your name?");
"""

_POPUPS = """for (let i = 0; i < 3; i++) window.open("/popup?n=" + i, "_blank");"""

_RENAME = """\
for (const node of document.querySelectorAll("h1.name, .price, .stock, img.photo")) {
  node.className = "v2-" + node.className;
  node.textContent = "";
}
for (const node of document.querySelectorAll('script[type="application/ld+json"]')) node.remove();
"""

_HISTORY_LOOP = """\
history.replaceState({}, "", location.href);
setTimeout(() => location.reload(), 20);
"""


def needs_facts(kind: str) -> bool:
    """Whether the page with this fault shows the product."""
    return FAULTS[kind].right_verdict is Verdict.OK


def opening(kind: str, amount: int, elsewhere_url: str) -> str:
    """The markup that commits the fault, for the beginning of the body. `elsewhere_url` is on another host.

    Raises:
        KeyError: it is no fault of a page.
    """
    markup = {
        "endless-script": _script(_ENDLESS),
        "endless-script-late": _script(_after_ready(_ENDLESS)),
        # Not before the document is there: the visitor must see the page open and then crash.
        "crash": _script(f"setTimeout(() => {{ {_CRASH} }}, 50);"),
        "crash-late": _script(_after_ready(_CRASH)),
        "dialog": _script(_DIALOGS),
        "popup": _script(_POPUPS),
        "print": _script("window.print();"),
        "script-elsewhere": _script(f'location.href = "{elsewhere_url}";'),
        "iframe-elsewhere": f'<iframe src="{elsewhere_url}"></iframe>',
        "eats-memory": _script(_eats(amount)),
        "never-ready": "",
        "rename": _script(_after_ready(_RENAME)),
        "history-loop": _script(_HISTORY_LOOP),
    }
    return markup[kind]


def _script(code: str) -> str:
    return f"<script>{code}</script>"


def _after_ready(code: str) -> str:
    return f"""\
new MutationObserver((records, observer) => {{
  observer.disconnect();
  setTimeout(() => {{ {code} }}, {AFTER_READY_MS});
}}).observe(document.body, {{ attributes: true, attributeFilter: ["data-ready"] }});
"""


def _eats(megabytes: int) -> str:
    """131,072 doubles are 1 MB of JS heap. Eight arrays are made at a time; the guard can measure in between."""
    return f"""\
window.eaten = [];
window.beforeFacts = (async () => {{
  while (window.eaten.length < {megabytes}) {{
    for (let i = 0; i < 8; i++) window.eaten.push(new Array(131072).fill(window.eaten.length + 0.5));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }}
}})();
"""
