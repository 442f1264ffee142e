"""`pagemill mend`: only its options. `mend_run` does the work, so that other commands need not load it."""

from __future__ import annotations

from typing import Annotated

import typer


def mend(
    name: Annotated[str, typer.Argument(help="The platform: config/platforms/NAME.yaml is looked at.")],
    write: Annotated[
        bool, typer.Option("--write", help="Change the file as well; the old one stays as NAME.yaml.before.")
    ] = False,
) -> None:
    """Look at a shop that has changed, and print what to change in its platform file, as a patch.

    Some products of the last good results are visited, each once, at the platform's pace; what they were then is the
    truth. `patch -p1 < FILE` applies what is printed. Nothing is printed where the file is right as it is. Ends with 1
    if name, price or status is unsure, or if a product is still judged wrongly.
    """
    from pagemill.cli.mend_run import run_mend

    run_mend(name, write=write)
