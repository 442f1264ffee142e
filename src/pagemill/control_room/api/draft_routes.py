"""Paths below `/api/v1/drafts`: drafts a platform's file from pages of a shop, and changes its choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp
from pagemill.control_room.api.draft_models import (
    MOST_PAGES,
    ChooseBody,
    DraftBody,
    DraftedFieldText,
    DraftedPageText,
    DraftedText,
    DraftErrorText,
    DraftText,
    PlaceText,
)
from pagemill.control_room.control.drafts import DraftRequest, KeptDraft, refusal_of
from pagemill.control_room.frame.access import changer, reader
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.drafting.by_hand import chosen_by_hand, field_places
from pagemill.drafting.field_choice import FieldChoice
from pagemill.drafting.file_text import file_text
from pagemill.drafting.told import ToldDraft, ToldPage
from pagemill.errors import DeadlineExceeded, DraftUnderWay, PagemillError, ServiceUnavailable, UsageError

router = APIRouter(prefix="/api/v1", tags=["drafts"])

_CHANGES = [Depends(changer)]
_BUSY_S = 30
_CODES: tuple[tuple[type[PagemillError], str], ...] = (
    (UsageError, "invalid"),
    (DeadlineExceeded, "too_slow"),
    (ServiceUnavailable, "service_unavailable"),
    (PagemillError, "visit_failed"),
)
_BEGIN: Documented = {
    422: {"description": "It cannot be drafted: an address may not be visited, say"},
    429: {"description": "Another file is being drafted; `Retry-After` says when to try again"},
}
_UNKNOWN: Documented = {404: {"description": "There is no such draft, or not any more"}}
_CHOOSE: Documented = {
    **_UNKNOWN,
    409: {"description": "There is nothing to choose from yet, or there was an error"},
    422: {"description": "There is no such field, or no such place"},
}

DraftId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$", examples=["0f4c2a9be1d35a77"])]


@router.post("/drafts", status_code=202, responses=_BEGIN, dependencies=_CHANGES)
def begin_draft(parts: PartsOfApp, wanted: DraftBody, response: Response, now: Now) -> Envelope[DraftText]:
    """Begins to draft a platform's file as `pagemill draft` does: each page is visited once, at a shop's pace. Nothing
    is written; `GET` tells how far it is, and at last the file. One at a time; it takes about 8 s for each page."""
    request = _request(wanted)
    _check(parts, request)
    try:
        kept = parts.drafts.begin(request)
    except DraftUnderWay as error:
        raise ApiError(429, "too_many_requests", str(error), {"Retry-After": str(_BUSY_S)}) from error
    response.headers["Location"] = f"{parts.root_path}/api/v1/drafts/{kept.id}"
    return sealed(_text(parts, kept, {}), now)


@router.get("/drafts/{draft}", responses=_UNKNOWN, dependencies=[Depends(reader)])
def show_draft(parts: PartsOfApp, draft: DraftId, now: Now) -> Envelope[DraftText]:
    """The draft's progress. When it has ended: the file, and for each field the places where it was found."""
    return sealed(_text(parts, _find(parts, draft), {}), now)


@router.post("/drafts/{draft}/choose", responses=_CHOOSE, dependencies=_CHANGES)
def choose(parts: PartsOfApp, draft: DraftId, wanted: ChooseBody, now: Now) -> Envelope[DraftText]:
    """The draft with other places, chosen by hand. Nothing is visited or kept, so name all choices in each request. The
    changed file is not tried on the pages."""
    kept = _find(parts, draft)
    if kept.told is None:
        raise ApiError(409, "not_ready", "there is nothing to choose from: ask for the draft until its state is done")
    try:
        return sealed(_text(parts, kept, wanted.picks), now)
    except UsageError as error:
        raise ApiError(422, "invalid", f"body.picks: {error}") from error


def _request(wanted: DraftBody) -> DraftRequest:
    expected = {name: value for name, value in wanted.expect.model_dump().items() if value not in ("", None)}
    return DraftRequest(
        wanted.platform,
        wanted.urls,
        sold_out=wanted.sold_out,
        off_sale=wanted.off_sale,
        gone=wanted.gone,
        expect=expected,
        device=wanted.device,
        locale=wanted.locale,
        wait_ms=wanted.wait_ms,
    )


def _check(parts: Parts, request: DraftRequest) -> None:
    pages = request.pages
    if len(pages) > MOST_PAGES:
        told = f"{len(pages)} pages are too many: {MOST_PAGES} at most; `pagemill draft` takes more"
        raise ApiError(422, "invalid", f"body: {told}")
    if twice := next((url for url in pages if pages.count(url) > 1), None):
        raise ApiError(422, "invalid", f"body: {twice} is named twice: each page is visited once")
    for url in pages:
        if refusal := refusal_of(url, parts.configured):
            raise ApiError(422, "invalid", f"body: {refusal}")


def _find(parts: Parts, draft: str) -> KeptDraft:
    kept = parts.drafts.find(draft)
    if kept is None:
        raise ApiError(404, "unknown_draft", "there is no such draft, or not any more: they are kept for an hour")
    return kept


def _text(parts: Parts, kept: KeptDraft, picks: Mapping[str, int]) -> DraftText:
    error, state = None, "done" if kept.told is not None else "at_work"
    if kept.error is not None:
        code = next(code for kind, code in _CODES if isinstance(kept.error, kind))
        error, state = DraftErrorText(code=code, message=str(kept.error)), "failed"
    return DraftText.model_validate(
        {
            "id": kept.id,
            "platform": kept.platform,
            "state": state,
            "visited": kept.visited,
            "of": kept.pages,
            "configured": kept.platform in parts.configured,
            "error": error,
            "draft": None if kept.told is None else _drafted(kept.told, picks),
        }
    )


def _drafted(told: ToldDraft, picks: Mapping[str, int]) -> DraftedText:
    file = chosen_by_hand(told.parts, picks)
    changed = file.sources != told.parts.sources
    return DraftedText(
        text=file_text(file),
        tried=not changed,
        lacking=list(told.lacking),
        fields=[_field(one, now) for one, now in zip(told.parts.choices, file.choices, strict=True)],
        pages=[_page(page) for page in told.pages],
    )


def _field(drafted: FieldChoice, now: FieldChoice) -> DraftedFieldText:
    offered = field_places(drafted)
    return DraftedFieldText(
        field=now.name,
        sureness=now.sureness.value,
        why=now.why,
        chosen=[offered.index(rule) for rule in now.rules],
        places=[
            PlaceText(
                source=one.source.strategy,
                where=f"{one.source.key}: {one.source.where}" if one.source.where else "",
                rule=dict(one.rule),
                values=list(one.values),
                why=one.why,
            )
            for one in offered
        ],
    )


def _page(page: ToldPage) -> DraftedPageText:
    return DraftedPageText(
        url=page.url,
        role=page.role.value,
        verdict=page.verdict,
        right=page.verdict is page.right,
        reason=page.reason,
        facts=dict(page.facts),
        troubles=list(page.troubles),
    )
