"""`GET /metrics`: the fleet for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from pagemill.control_room.api.dependencies import Documented, PartsOfApp
from pagemill.control_room.frame.access import reader
from pagemill.control_room.metrics.text import OwnFigures, alerts_of_the_hour, metrics_text
from pagemill.fleet.view import FRESH_S

router = APIRouter(tags=["metrics"])

_TEXT: Documented = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


class _Text(Response):
    """Tells the API's document that the answer is not JSON."""

    media_type = "text/plain"


@router.get("/metrics", dependencies=[Depends(reader)], responses=_TEXT, response_class=_Text)
def show_metrics(parts: PartsOfApp) -> Response:
    """Everything that is counted; 200 also while Redis is away, which `pagemill_redis_up` tells."""

    def make() -> tuple[bytes, str]:
        process = OwnFigures(parts.connections(), parts.lookups())
        return metrics_text(parts.view, lambda: alerts_of_the_hour(parts.redis), process=process)

    body, content_type = parts.metrics.get("", make, FRESH_S)
    return Response(body, headers={"Content-Type": content_type})
