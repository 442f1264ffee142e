"""The page at `/docs`: every operation of the OpenAPI document, listed by the browser.

FastAPI's own page loads its scripts from elsewhere on the net, which a closed network does not have and our
`Content-Security-Policy` refuses. This one is two files of ours. It never makes HTML out of what the document says.
Addresses are relative: a proxy may have us below a path of its own.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from pagemill.script_files import read_script

router = APIRouter(include_in_schema=False)

_PAGE = read_script(__file__, "docs_page.html")
_SCRIPT = read_script(__file__, "docs_page.js")


@router.get("/docs")
async def show_docs() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/operations.js")
async def show_script() -> Response:
    """What fills it."""
    return Response(_SCRIPT, media_type="text/javascript")
