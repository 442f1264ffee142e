"""The shop's own script: fills the product in, leaks when told to, and sets the ready sign last.

Owns the JavaScript that every page runs; `page_faults` has what a fault adds. Every page ends with a call of
`shop.start(kind, id, leakKb)`, and `<body data-ready>` appears when all of it has come true.
"""

from __future__ import annotations

from pagemill.script_files import read_script

SHOP_SCRIPT = read_script(__file__, "shop_script.js")
