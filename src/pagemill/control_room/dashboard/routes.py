"""The addresses of the control room's pages and of their files, and the redirect from `/`.

They need no token, because they contain nothing about the fleet: the pages ask the API for that, with a token.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from pagemill.control_room.dashboard.static_files import BOARD, DRAFT, ROOM, Site, StaticFile, site

PATH = "/performance/dashboard"

router = APIRouter(include_in_schema=False)


@router.get("/")
def redirect(request: Request) -> RedirectResponse:
    """Redirects to the dashboard."""
    return RedirectResponse(_root_path(request) + PATH)


@router.get(PATH)
def show_dashboard(request: Request) -> Response:
    """The dashboard. Like every page, it shows the login to users without a token."""
    return _page(request, BOARD)


@router.get("/runs")
@router.get("/runs/{run}")
@router.get("/products/{platform}/{product:path}")
def show_room(request: Request) -> Response:
    """The results room: the list of runs, one run, or one product. The page's script decides by the address."""
    return _page(request, ROOM)


@router.get("/draft")
def show_draft(request: Request) -> Response:
    """The page for drafting a platform's file."""
    return _page(request, DRAFT)


@router.get("/performance/static/{version}/{name:path}")
def show_file(request: Request, version: str, name: str) -> Response:
    """A file of the pages. Its address contains the version, so it changes with its content."""
    wanted = _site(request).files.get(name)
    if wanted is None or version != _site(request).version:
        raise HTTPException(404, "there is no such file: load the page anew")
    return _answer(request, wanted, "public, max-age=31536000, immutable")


def _page(request: Request, name: str) -> Response:
    # The page names the version of all other files, so only the page must be fetched anew each time.
    return _answer(request, _site(request).pages[name], "no-cache")


def _root_path(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _site(request: Request) -> Site:
    return site(_root_path(request))


def _answer(request: Request, wanted: StaticFile, caching: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    offered = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept-encoding", "").split(",")}
    if "gzip" in offered:
        return Response(wanted.packed, media_type=wanted.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(wanted.content, media_type=wanted.media_type, headers=headers)
