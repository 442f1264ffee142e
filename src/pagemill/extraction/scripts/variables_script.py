"""The script that tells a reader what the page's global variables hold; see its file."""

from __future__ import annotations

import functools

from pagemill.script_files import read_page_script

_VARIABLES = read_page_script(__file__, "variables_script.js")


@functools.cache
def variables_script(names: tuple[str, ...]) -> str:
    """A function of `spec`.

    `names` are those of the global variables. They are read outside of any scope with names of its own.
    """
    declared = ",".join(["__proto__:null", *(f"{name}:()=>{{try{{return {name}}}catch{{}}}}" for name in names)])
    return f"({_VARIABLES})({{{declared}}})"
