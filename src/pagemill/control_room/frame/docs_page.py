"""The page at `/docs`: lists every operation of the OpenAPI document in the browser.

FastAPI's own page loads scripts from the internet, which a closed network cannot reach and our
`Content-Security-Policy` refuses. This page is two files of our own. It never turns text of the document into HTML.
Its addresses are relative, because a proxy may serve the API below another path.
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
    """The HTML page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/operations.js")
async def show_script() -> Response:
    """The script that fills the page."""
    return Response(_SCRIPT, media_type="text/javascript")
