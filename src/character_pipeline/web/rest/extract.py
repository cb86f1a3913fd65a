"""POST /v1/extract: one item, described at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from character_pipeline.data import CharacterAttributes, ExtractionResult
from character_pipeline.database.export import flat_row
from character_pipeline.web.rest.bodies import JSON, checked, documented, fields_of, kind_of, read_form, read_json
from character_pipeline.web.rest.models import DetailRecord, ExtractRequest, FlatRecord
from character_pipeline.web.rest.problems import ProblemError, of_item
from character_pipeline.web.service import Service

router = APIRouter(prefix="/v1", tags=["items"])
MOST_PARTS = 100
FORM_FIELDS: Mapping[str, Any] = {
    "image": {"type": "string", "format": "binary", "description": "a picture file"},
    "text": {"type": "string", "description": "tags, a prompt or plain English", "examples": ["1girl, red hair"]},
    "strategy": {"type": "string", "description": "who decides; see /v1/vocabulary", "examples": ["hierarchical"]},
    "detail": {"type": "string", "enum": ["true", "false"], "default": "false"},
}


@router.post(
    "/extract",
    summary="Describe one item",
    responses={200: {"model": FlatRecord | DetailRecord, "description": "what is known of it"}},
    openapi_extra=documented(ExtractRequest, FORM_FIELDS),
)
async def extract(request: Request) -> JSONResponse:
    """Describes a picture, a text, or a picture with its text; nothing is stored. With `detail`, every attribute comes
    with its state, alternatives and evidence. An item that cannot be read at all is a problem; where only a part
    failed, `errors` says so. One that is set aside for safety has the status `quarantined`, and nothing else."""
    service: Service = request.app.state.service
    if kind_of(request) == JSON:
        asked = await read_json(request, ExtractRequest, MOST_PARTS)
    else:
        text = service.config.input_loader.max_text_bytes
        async with read_form(request, 1, text) as form:
            asked = await _from_form(form)
    record = await describe(service, asked)
    return JSONResponse(as_answer(record, asked.detail))


async def _from_form(form: FormData) -> ExtractRequest:
    fields = dict(fields_of(form))
    if fields.get("detail", "false") not in {"true", "false"}:
        raise ProblemError(422, "detail is one of: true, false")
    fields["detail"] = fields.get("detail") == "true"
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            fields[name] = await value.read()
        elif name == "image":
            raise ProblemError(422, "image is a file: send it with a file name")
    return checked(lambda: ExtractRequest.model_validate(fields))


async def describe(service: Service, asked: ExtractRequest) -> CharacterAttributes:
    """The record of what was asked for. Raises ProblemError where nothing of it could be read."""
    answer = await run_in_threadpool(lambda: service.submit(service.make_item(asked.image, asked.text), asked.strategy))
    record = await asyncio.wrap_future(answer)
    if record.status == "failed":
        first = record.errors[0]
        raise of_item(first.kind, first.message)
    return record


def as_answer(record: CharacterAttributes, detail: bool) -> dict[str, Any]:
    """A record as JSON; of a quarantined one, no more than that it is."""
    if detail:
        found = record.to_detail()
        return {**found, "reasons": []} if record.status == "quarantined" else found
    flat = flat_row(ExtractionResult(record.item_id, record))
    problems = [{"stage": one.stage, "kind": one.kind, "message": one.message} for one in record.errors]
    return {**flat, "errors": problems} if problems else flat
