"""/v1/batches: many items, described in the background."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from character_pipeline.database.jobs import Job
from character_pipeline.web.rest.bodies import JSON, documented, kind_of, read_form, read_json
from character_pipeline.web.rest.models import BatchRequest, JobAnswer, JobList, Problem
from character_pipeline.web.rest.problems import ProblemError, shorten
from character_pipeline.web.rest.uploads import Upload, read_uploads
from character_pipeline.web.service import Service
from character_pipeline.web.spool import Sent

router = APIRouter(prefix="/v1/batches", tags=["batches"])
FORM_FIELDS: Mapping[str, Any] = {
    "files": {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "description": "pictures, texts of the same stem, zip archives of both",
    }
}
PARTS = 10
"""Keys and values of an item, at most."""
Name = Annotated[str, Path(max_length=100, examples=["batch-0123456789abcdef"])]
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "no such batch"}}


@router.post(
    "",
    summary="Describe many items in the background",
    status_code=202,
    responses={202: {"model": JobAnswer}, 200: {"model": JobAnswer, "description": "this request came before"}},
    openapi_extra=documented(BatchRequest, FORM_FIELDS, "files"),
)
async def start(
    request: Request, idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None
) -> JSONResponse:
    """Takes items as JSON, or files; answers at once with the batch, whose results are in `/v1/results`. The same
    request with the same `Idempotency-Key` is done once."""
    service: Service = request.app.state.service
    if kind_of(request) == JSON:
        asked = await read_json(request, BatchRequest, PARTS * service.config.serve.max_batch_items + PARTS)
        job, new = await run_in_threadpool(_start, service, _from_json(asked), idempotency_key)
    else:
        serve, text = service.config.serve, service.config.input_loader.max_text_bytes
        async with read_form(request, 2 * serve.max_batch_items, text) as form:
            uploads = [_upload(name, value) for name, value in form.multi_items()]
            items = read_uploads(uploads, service.config)
            job, new = await run_in_threadpool(_start, service, items, idempotency_key)
    answer = JobAnswer.of(job).model_dump(mode="json")
    return JSONResponse(answer, 202 if new else 200, {"Location": f"/v1/batches/{job.name}"})


def _start(service: Service, items: Iterator[Sent], key: str | None) -> tuple[Job, bool]:
    """The job, and whether it is a new one."""
    staged = service.jobs.stage(items)
    job = service.jobs.queue(staged, key)
    return job, job.name == staged.name


def _from_json(asked: BatchRequest) -> Iterator[Sent]:
    for number, item in enumerate(asked.items, 1):
        yield Sent(item.id or str(number), item.text, item.image)


def _upload(field: str, value: UploadFile | str) -> Upload:
    if not isinstance(value, UploadFile) or field != "files":
        raise ProblemError(422, f"unknown field '{shorten(field)}'. Allowed: files, each with a file name")
    return Upload(value.filename or "file", value.file)


@router.get("", summary="The newest batches")
def listed(request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> JobList:
    service: Service = request.app.state.service
    return JobList(items=[JobAnswer.of(job) for job in service.jobs.list(limit)])


@router.get("/{batch}", summary="How far a batch is", responses=UNKNOWN)
def shown(request: Request, batch: Name) -> JobAnswer:
    service: Service = request.app.state.service
    return JobAnswer.of(_known(service.jobs.get(batch), batch))


@router.delete("/{batch}", summary="Cancel a batch", responses=UNKNOWN)
def cancelled(request: Request, batch: Name) -> JobAnswer:
    """Stops it as soon as it can be; what is done by then is kept. One that has ended stays as it is."""
    service: Service = request.app.state.service
    return JobAnswer.of(_known(service.jobs.cancel(batch), batch))


def _known(job: Job | None, name: str) -> Job:
    if job is None:
        raise ProblemError(404, f"there is no batch '{shorten(name)}': /v1/batches lists them")
    return job
