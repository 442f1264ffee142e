"""The output of `pagemill draft --json`: a line after each visit, and a last line with everything that was found."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from pagemill.drafting.choose import Draft
from pagemill.drafting.told import ToldDraft, ToldPage, to_json
from pagemill.drafting.trial import TriedPage


def tell_visited(pages: int, visited: int) -> None:
    """Prints the progress."""
    typer.echo(json.dumps({"visited": visited, "of": pages}))


def tell_draft(draft: Draft, tried: Sequence[TriedPage], lacking: Sequence[str]) -> None:
    """Prints the last line."""
    typer.echo(to_json(ToldDraft(draft.parts, tuple(_page(one) for one in tried), tuple(lacking))))


def _page(one: TriedPage) -> ToldPage:
    evidence, judgement = one.page.evidence, one.judgement
    facts = {} if one.reading is None else dict(one.reading.facts)
    return ToldPage(
        evidence.url, evidence.role, judgement.verdict, one.right, judgement.reason, facts, evidence.troubles
    )
