"""`POST /api/v1/runs` and `.../again`: begins runs from a JSON body, an upload, a table or an older run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from pagemill.config.platform import AUTO
from pagemill.control_room.api import upload
from pagemill.control_room.api.dependencies import Documented, Parts, PartsOfApp, check_platform
from pagemill.control_room.api.run_models import (
    SOURCE,
    AgainBody,
    BadRowText,
    BatchSize,
    BegunText,
    DecimalSignText,
    Limit,
    RunBody,
)
from pagemill.control_room.api.run_routes import RunPath, find_run, run_text
from pagemill.control_room.control.run_requests import BegunRun, ReadProducts, RunRequest
from pagemill.control_room.frame.access import changer
from pagemill.control_room.frame.envelope import ApiError, Envelope, Now, sealed
from pagemill.errors import KeyTaken, TooManyAtOnce, UsageError
from pagemill.intake.begin_run import MOST_SOURCE, again_of
from pagemill.intake.catalog import read_rows
from pagemill.intake.platforms import Platforms, meant, name_of
from pagemill.intake.rows import BadRow
from pagemill.intake.run_again import products_again, wanted_again
from pagemill.intake.text_file import known_encoding
from pagemill.model import Priority, Product
from pagemill.results.runs import RunSummary

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], dependencies=[Depends(changer)])

BEGIN = ("POST", "/api/v1/runs")
"""The only route whose body may be large."""

_ANSWERS: Documented = {
    200: {"model": Envelope[BegunText], "description": "A request with this Idempotency-Key has begun it before"},
    201: {"description": "It is begun, and all of it is on the queue"},
    202: {"model": Envelope[BegunText], "description": "It is begun, and goes on being put on the queue"},
    404: {"description": "No platform of that name is configured, or there is no run of that id"},
    409: {"description": "The Idempotency-Key stands for another request"},
    422: {"description": "What was sent is no run; the message names fields, or rows with their numbers"},
    429: {"description": "Other runs are being put on the queue; `Retry-After` says when to try again"},
}
_UNSUPPORTED: Documented = {
    415: {"description": "The body is neither JSON nor a catalogue, or its charset is not UTF-8"}
}
_CSV = "id,url,price\nA1,https://www.musinsa.com/products/1,12900\n"
_UPLOAD_SCHEMA = {"type": "string", "description": "A catalogue as `pagemill enqueue` reads it"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            upload.JSON: {"schema": RunBody.model_json_schema()},
            "text/csv": {"schema": _UPLOAD_SCHEMA, "examples": {"two columns and a price": {"value": _CSV}}},
            "text/tab-separated-values": {"schema": _UPLOAD_SCHEMA},
            "application/x-ndjson": {"schema": _UPLOAD_SCHEMA},
        },
    }
}
_BUSY_S = 5

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]*$",
        description="Any text that no other request has. Sent again within a day, the request begins no second run, "
        "and goes on with one that broke off",
        examples=[""],
    ),
]
_OF_UPLOAD = "Of an upload; with JSON it stands in the body"


@router.post("", status_code=201, responses={**_ANSWERS, **_UNSUPPORTED}, openapi_extra=_BODY)
async def begin_run(
    request: Request,
    response: Response,
    parts: PartsOfApp,
    now: Now,
    idempotency_key: IdempotencyKey = "",
    platform: Annotated[str | None, Query(max_length=100, description=_OF_UPLOAD, examples=["musinsa"])] = None,
    source: Annotated[str | None, Query(max_length=MOST_SOURCE, pattern=SOURCE, description=_OF_UPLOAD)] = None,
    limit: Annotated[Limit | None, Query(description=_OF_UPLOAD)] = None,
    batch_size: Annotated[BatchSize | None, Query(description=_OF_UPLOAD)] = None,
    strict: Annotated[bool | None, Query(description=_OF_UPLOAD)] = None,
    priority: Annotated[Priority | None, Query(description=_OF_UPLOAD)] = None,
    decimal: Annotated[DecimalSignText | None, Query(description=_OF_UPLOAD)] = None,
    encoding: Annotated[
        str | None, Query(max_length=100, description="Of an upload, such as cp949; UTF-8 unless told")
    ] = None,
) -> Envelope[BegunText]:
    """Begins a run with products in JSON (up to 5,000, 1 MB), with an uploaded catalogue (up to 250,000 lines, 32 MB),
    or with a table. Bad rows are reported with their line and skipped."""
    kind = upload.content_type(request)
    asked = {
        "platform": platform,
        "source": source,
        "limit": limit,
        "batch_size": batch_size,
        "strict": strict,
        "priority": priority,
        "decimal": decimal,
    }
    named = {name: value for name, value in asked.items() if value is not None}
    digest = sha256(json.dumps([kind, named, encoding], sort_keys=True).encode())
    with ExitStack() as held:
        _take_place(parts, held)
        if kind == upload.JSON:
            if named:
                raise ApiError(422, "invalid", f"query.{next(iter(named))}: with JSON it stands in the body")
            if encoding is not None:
                raise ApiError(
                    422, "invalid", "query.encoding: is of an uploaded file, and JSON is UTF-8: leave it out"
                )
            wanted = _of_body(parts, _run_body(await upload.read_small(request, digest.update)))
        else:
            if platform is None:
                raise ApiError(422, "invalid", "query.platform: Field required: whose products these are")
            shop, known = _platforms(parts, platform), _known(encoding or "")
            file, path = held.enter_context(upload.file_for(kind))
            await upload.receive(request, file, digest.update, known)
            wanted = _of_file(parts, shop, path, known, RunBody.model_validate(named))
        wanted = replace(wanted, key=idempotency_key, digest=digest.hexdigest())
        begun = await run_in_threadpool(_begin, parts, wanted, held.pop_all())
        return await run_in_threadpool(_answer, parts, wanted, begun, response, now)


@router.post("/{run}/again", status_code=201, responses=_ANSWERS)
def begin_again(
    parts: PartsOfApp,
    run: RunPath,
    response: Response,
    now: Now,
    wanted: AgainBody | None = None,
    idempotency_key: IdempotencyKey = "",
) -> Envelope[BegunText]:
    """Begins a run with products of an older one, with what the catalogue expected of them then."""
    asked = wanted or AgainBody()
    older = find_run(parts, run)
    shop = _platforms_of(parts, older)
    verdicts, missing = wanted_again(asked.verdicts, asked.missing)

    def products(_note: Callable[[BadRow], None]) -> Iterator[Product]:
        return products_again(run, parts.store, verdicts, missing)

    with ExitStack() as held:
        _take_place(parts, held)
        request = RunRequest(
            platform=shop,
            products=products,
            source=again_of(run),
            limit=asked.limit,
            batch_size=asked.batch_size,
            priority=asked.priority,
            key=idempotency_key,
            digest=sha256(json.dumps([run, asked.model_dump(mode="json")]).encode()).hexdigest(),
        )
        return _answer(parts, request, _begin(parts, request, held.pop_all()), response, now)


def _take_place(parts: Parts, held: ExitStack) -> None:
    try:
        held.enter_context(parts.run_requests.place())
    except TooManyAtOnce as error:
        raise ApiError(429, "too_many_requests", str(error), {"Retry-After": str(_BUSY_S)}) from error


def _platforms(parts: Parts, name: str) -> Platforms:
    if name != AUTO:
        check_platform(parts, name)
    return meant(parts.configured, name)


def _platforms_of(parts: Parts, run: RunSummary) -> Platforms:
    """The platforms of a run's products."""
    names = parts.store.platforms_of(run.run)
    for name in names:
        check_platform(parts, name)
    return meant({name: parts.configured[name] for name in names}, run.platform)


def _known(encoding: str) -> str:
    try:
        return known_encoding(encoding)
    except UsageError as error:
        raise ApiError(422, "invalid", f"query.encoding: {error}") from error


def _run_body(content: bytes) -> RunBody:
    try:
        return RunBody.model_validate_json(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise ApiError(422, "invalid", f"body: is not JSON: {errors[0]['ctx']['error']}") from error
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in errors]) from error


def _of_body(parts: Parts, body: RunBody) -> RunRequest:
    shop, decimal = _platforms(parts, body.platform), body.decimal
    rows, table = body.products, body.catalog
    if rows is not None and table is None:
        return _wanted(shop, body, "http", "product", lambda note: read_rows(rows, shop, note, decimal=decimal))
    if table is not None and rows is None:
        read = parts.beginner.catalogue
        return _wanted(shop, body, table, "row", lambda note: read(table, shop, note, decimal=decimal))
    raise ApiError(422, "invalid", "body: name either products, or catalog: sql")


def _of_file(parts: Parts, shop: Platforms, path: Path, encoding: str, options: RunBody) -> RunRequest:
    def products(note: Callable[[BadRow], None]) -> Iterator[Product]:
        return parts.beginner.catalogue(
            path, shop, note, encoding=encoding, decimal=options.decimal, called="the upload"
        )

    return _wanted(shop, options, "http upload", "line", products)


def _wanted(shop: Platforms, body: RunBody, source: str, unit: str, products: ReadProducts) -> RunRequest:
    """The requested run. `source` is the default for the list of runs; `unit` is the noun for its rows."""
    return RunRequest(
        platform=shop,
        products=products,
        source=body.source or source,
        unit=unit,
        limit=body.limit,
        batch_size=body.batch_size,
        priority=body.priority,
        strict=body.strict,
    )


def _begin(parts: Parts, wanted: RunRequest, held: ExitStack) -> BegunRun:
    try:
        return parts.run_requests.begin(wanted, held)
    except KeyTaken as error:
        raise ApiError(409, "key_taken", str(error)) from error
    except UsageError as error:
        raise ApiError(422, "invalid", str(error)) from error
    finally:
        parts.runs.forget()


def _answer(
    parts: Parts, wanted: RunRequest, begun: BegunRun, response: Response, now: datetime
) -> Envelope[BegunText]:
    if not begun.is_queued:
        response.status_code = 202
    elif not begun.is_new:
        response.status_code = 200
    response.headers["Location"] = f"{parts.root_path}/api/v1/runs/{begun.run}"
    try:
        run = parts.store.run(begun.run)
    except UsageError:  # the run is in no database before its first good row
        run = RunSummary(
            begun.run,
            name_of(wanted.platform),
            wanted.source,
            now,
            sealed_at=None,
            products=None,
            batches=None,
            skipped=None,
            done=0,
            priority=wanted.priority,
        )
    bad_rows = [BadRowText(line=row.line, reason=row.reason) for row in begun.bad_rows]
    return sealed(BegunText(run=run_text(run), bad_rows=bad_rows, bad_rows_in_all=begun.bad_rows_in_all), now)
