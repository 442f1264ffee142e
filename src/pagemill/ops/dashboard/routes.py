"""The dashboard's addresses: the page, the files that it loads, and the way there from `/`.

None of them needs a token, as none says anything about the fleet: the page asks the API, which wants one.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from pagemill.ops.dashboard.static_files import StaticFile, site

PATH = "/performance/dashboard"

router = APIRouter(include_in_schema=False)


@router.get("/")
def redirect() -> RedirectResponse:
    """To the page."""
    return RedirectResponse(PATH)


@router.get(PATH)
def show_page(request: Request) -> Response:
    """The page; it shows the login to whoever is not logged in."""
    # It names the version of everything else, so it alone has to be asked for each time.
    return _answer(request, site().page, "no-cache")


@router.get("/performance/static/{version}/{name}")
def show_file(request: Request, version: str, name: str) -> Response:
    """A file of the page; its address changes with its content."""
    wanted = site().files.get(name)
    if wanted is None or version != site().version:
        raise HTTPException(404, "there is no such file: load the page anew")
    return _answer(request, wanted, "public, max-age=31536000, immutable")


def _answer(request: Request, wanted: StaticFile, caching: str) -> Response:
    headers = {"Cache-Control": caching, "Vary": "Accept-Encoding"}
    offered = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept-encoding", "").split(",")}
    if "gzip" in offered:
        return Response(wanted.packed, media_type=wanted.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(wanted.content, media_type=wanted.media_type, headers=headers)
