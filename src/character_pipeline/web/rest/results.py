"""/v1/results and /v1/feedback: what the store holds, and what people say is true."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from character_pipeline.database.feedback import give_feedback, undo_feedback
from character_pipeline.database.pages import only_of_source, read_page
from character_pipeline.database.queries import Filter, get_result, parse_filter
from character_pipeline.database.search import add_text
from character_pipeline.database.store import Store
from character_pipeline.web.rest.bodies import JSON, documented, kind_of, read_json
from character_pipeline.web.rest.extract import as_answer
from character_pipeline.web.rest.models import (
    MOST_VALUES,
    DetailRecord,
    FeedbackAnswer,
    FeedbackRequest,
    FlatRecord,
    Problem,
    ResultPage,
    ShownStatus,
)
from character_pipeline.web.rest.problems import ProblemError, shorten
from character_pipeline.web.service import Service

router = APIRouter(prefix="/v1", tags=["results"])
MOST_ROWS = 500
MOST_NUMBER = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "no such item"}}


@router.get("/results", summary="Results, page by page", responses={200: {"model": ResultPage}, **UNKNOWN})
def results(  # noqa: PLR0913, PLR0917 - the parameters of the request
    request: Request,
    where: Annotated[str | None, Query(max_length=2000, examples=["hair_color=Black,gender=Female"])] = None,
    text: Annotated[str | None, Query(max_length=1000, description="words of tags and texts")] = None,
    min_confidence: Annotated[float, Query(ge=0, le=1)] = 0.0,
    status: ShownStatus | None = None,
    batch: Annotated[str | None, Query(max_length=100, description="only the items of this batch")] = None,
    cursor: Annotated[str | None, Query(max_length=100, description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    detail: bool = False,
) -> JSONResponse:
    """In the order in which items came. A value may also be a state: `eye_color=not_visible`. Quarantined items never
    are among them."""
    service: Service = request.app.state.service
    after = read_cursor(cursor)
    with service.reading() as store:
        asked = ",".join(filter(None, [where, f"status={status}" if status else None]))
        found = parse_filter(store, asked, min_confidence)
        if text is not None:
            add_text(store, found, text)
        if batch is not None:
            _only_batch(service, store, found, batch)
        page = read_page(store, found, after, limit, detail)
    rows = [as_answer(result.attributes, detail) for result in page.results]
    return JSONResponse({"items": rows, "next_cursor": None if page.after is None else write_cursor(page.after)})


def _only_batch(service: Service, store: Store, found: Filter, name: str) -> None:
    job = service.jobs.get(name)
    if job is None:
        raise ProblemError(404, f"there is no batch '{shorten(name)}': /v1/batches lists them")
    only_of_source(store, found, job.source)


def write_cursor(number: int) -> str:
    return base64.urlsafe_b64encode(b"n%d" % number).decode().rstrip("=")


def read_cursor(cursor: str | None) -> int:
    """The number that a cursor stands for. Raises ProblemError for a made-up one."""
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
        number = int(raw[1:]) if raw[:1] == b"n" and raw[1:].isdigit() else -1
    except (binascii.Error, ValueError):
        number = -1
    if not 0 <= number <= MOST_NUMBER:
        raise ProblemError(422, f"no such cursor: '{shorten(cursor or '')}'. Give `next_cursor` of the page before")
    return number


@router.get(
    "/results/{item_id:path}",
    summary="One result",
    responses={200: {"model": FlatRecord | DetailRecord}, **UNKNOWN},
)
def result(request: Request, item_id: Annotated[str, Path(max_length=1000)], detail: bool = True) -> JSONResponse:
    """The id may hold slashes, also as `%2F`."""
    service: Service = request.app.state.service
    with service.reading() as store:
        found = None if "\0" in item_id else get_result(store, item_id)
    if found is None or found.status == "quarantined":
        raise ProblemError(404, f"there is no item '{shorten(item_id)}': /v1/results lists them")
    return JSONResponse(as_answer(found.attributes, detail))


@router.post(
    "/feedback",
    summary="Say what is true of an item",
    status_code=201,
    responses=UNKNOWN,
    openapi_extra=documented(FeedbackRequest),
)
async def said(request: Request) -> FeedbackAnswer:
    """For calibration and policy to learn from. The newest statement on an attribute counts."""
    kind_of(request, (JSON,))
    asked = await read_json(request, FeedbackRequest, 2 * MOST_VALUES)
    return await run_in_threadpool(_write_down, request.app.state.service, asked)


def _write_down(service: Service, asked: FeedbackRequest) -> FeedbackAnswer:
    with service.reading() as store:
        found = get_result(store, asked.item_id)
    if found is None or found.status == "quarantined":
        raise ProblemError(404, f"there is no item '{shorten(asked.item_id)}': /v1/results lists them")
    with service.writing() as store:
        return FeedbackAnswer.of(give_feedback(store, asked.item_id, asked.attribute, asked.values, asked.author))


@router.delete("/feedback/{number}", summary="Take a statement back", responses=UNKNOWN)
def taken_back(request: Request, number: Number) -> FeedbackAnswer:
    service: Service = request.app.state.service
    with service.writing() as store:
        gone = undo_feedback(store, number)
    if gone is None:
        raise ProblemError(404, f"there is no statement {number}: it may have been taken back before")
    return FeedbackAnswer.of(gone)
