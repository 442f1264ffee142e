"""`POST /api/v1/try`: visits one product at once and shows everything that was read."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from pagemill.control_room.api.dependencies import Documented, PartsOfApp, check_platform
from pagemill.control_room.api.run_models import TriedText, TryBody
from pagemill.control_room.frame.access import changer
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.errors import DeadlineExceeded, TrialUnderWay, UsageError, VisitFailed

router = APIRouter(prefix="/api/v1", tags=["runs"], dependencies=[Depends(changer)])

_ANSWERS: Documented = {
    404: {"description": "No platform of that name is configured"},
    422: {"description": "What was sent cannot be tried: the platform may not visit that address, say"},
    429: {"description": "Another product is being tried; `Retry-After` says when to try again"},
    502: {"description": "The product could not be read; the message says why"},
    503: {"description": "There is no Chromium where the API runs, or it does not start"},
    504: {"description": "The visit took longer than two minutes"},
}
_BUSY_S = 10


@router.post("/try", responses=_ANSWERS)
def try_product(parts: PartsOfApp, wanted: TryBody, now: Now) -> Envelope[TriedText]:
    """Visits one product, as `pagemill try` does, and tells what each source says of each field. Only hosts of the
    platform are visited. One at a time; it takes seconds. It is no run: nothing is kept."""
    check_platform(parts, wanted.platform)
    try:
        tried = parts.trial.run(wanted.platform, wanted.url, wanted.id)
    except TrialUnderWay as error:
        raise ApiError(429, "too_many_requests", str(error), {"Retry-After": str(_BUSY_S)}) from error
    except UsageError as error:
        raise ApiError(422, "invalid", str(error)) from error
    except VisitFailed as error:
        raise ApiError(502, "visit_failed", str(error)) from error
    except DeadlineExceeded as error:
        raise ApiError(504, "too_slow", str(error)) from error
    return sealed(TriedText.model_validate(tried), now)
