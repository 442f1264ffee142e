"""`/api/v1/runs/{run}/artifacts`: the screenshot and HTML of a failed product, if this machine has them.

A shop's page is untrusted: its HTML is served as plain text, so that no script runs, and its picture only as JPEG.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp
from pagemill.control_room.api.run_models import ArtifactsText, ArtifactText
from pagemill.control_room.api.run_routes import RunPath
from pagemill.control_room.frame.access import reader
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.extraction.artifact_files import HTML, PICTURE, ArtifactKind, file_name, find_artifact, read

router = APIRouter(prefix="/api/v1/runs/{run}/artifacts", tags=["runs"], dependencies=[Depends(reader)])

_KINDS: tuple[tuple[Literal["picture", "html"], ArtifactKind], ...] = (("picture", PICTURE), ("html", HTML))
_SEALED = "sandbox; default-src 'none'"
_JPEG = b"\xff\xd8\xff"
_NOTHING = "nothing was kept of that product in that run, or another machine has it: artifacts.folder must be shared"
_UNREADABLE: Documented = {503: {"description": "The folder of artifacts cannot be read"}}


def _told_as(media_type: str) -> Documented:
    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": {media_type: {}}, "description": "The file"},
        404: {"description": "Nothing was kept, or it is not here"},
    }
    return {**answers, **_UNREADABLE}


ProductId = Annotated[
    str, Query(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", description="A product's id")
]


@router.get("", responses=_UNREADABLE)
def list_artifacts(parts: PartsOfApp, run: RunPath, product: ProductId, now: Now) -> Envelope[ArtifactsText]:
    """The artifacts of a failure: a picture, the HTML, both or none. They are on the worker's machine; an API elsewhere
    finds them if `artifacts.folder` is shared."""
    kept = []
    for name, kind in _KINDS:
        try:
            file = find_artifact(parts.artifacts, (run, product), kind)
        except OSError as error:
            raise _unreadable(error) from error
        if file is not None:
            kept.append(ArtifactText(kind=name, bytes=file.bytes, taken_at=file.taken_at))
    return sealed(ArtifactsText(artifacts=kept), now)


@router.get("/picture", response_class=Response, responses=_told_as("image/jpeg"))
def show_picture(parts: PartsOfApp, run: RunPath, product: ProductId) -> Response:
    """What the browser saw, images left out."""
    content = _content(parts, run, product, PICTURE)
    if not content.startswith(_JPEG):
        raise ApiError(404, "not_found", _NOTHING)
    return _answer(content, "image/jpeg", run, product, PICTURE)


@router.get("/html", response_class=Response, responses=_told_as("text/plain"))
def show_html(parts: PartsOfApp, run: RunPath, product: ProductId) -> Response:
    """The page's HTML as text."""
    return _answer(_content(parts, run, product, HTML), "text/plain; charset=utf-8", run, product, HTML)


def _content(parts: Parts, run: str, product: str, kind: ArtifactKind) -> bytes:
    try:
        content = read(parts.artifacts, (run, product), kind)
    except OSError as error:
        raise _unreadable(error) from error
    if content is None:
        raise ApiError(404, "not_found", _NOTHING)
    return content


def _answer(content: bytes, media_type: str, run: str, product: str, kind: ArtifactKind) -> Response:
    suffix = ".txt" if kind is HTML else kind.suffix
    headers = {
        "Content-Security-Policy": _SEALED,
        "Content-Disposition": f'inline; filename="{file_name((run, product))}{suffix}"',
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(content, media_type=media_type, headers=headers)


def _unreadable(error: OSError) -> ApiError:
    return ApiError(
        503,
        "service_unavailable",
        f"the folder of artifacts cannot be read: {error.strerror}. Give the API the right to",
    )
