"""Bodies of requests, read by what they say they are: JSON, or a form with files."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from character_pipeline.web.rest.problems import ProblemError, shorten

JSON = "application/json"
FORM = "multipart/form-data"
MOST_FIELDS = 20
STRING = re.compile(rb'"[^"\\]*+(?:\\(?s:.)[^"\\]*+)*+"?+')
"""A JSON string; one that is not closed goes to the end, so that every sign is looked at once."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def kind_of(request: Request, allowed: Sequence[str] = (JSON, FORM)) -> str:
    """JSON or FORM. Raises ProblemError for anything else."""
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind not in allowed:
        told = f"the Content-Type is '{shorten(given)}'; allowed: {', '.join(allowed)}"
        raise ProblemError(415, told, {"Accept-Post": ", ".join(allowed)})
    return kind


async def read_json(request: Request, model: type[M], most: int) -> M:
    """The body as a model, parsed beside the event loop. Raises RequestValidationError, and ProblemError where it has
    more than `most` parts: a small one may be made of so many that parsing it takes all memory."""
    raw = await request.body()

    def parse() -> M:
        check_parts(raw, most)
        return model.model_validate_json(raw)

    return await run_in_threadpool(checked, parse)


def check_parts(raw: bytes, most: int) -> None:
    """Raises ProblemError where a JSON text has more than `most` keys and values, or so."""
    place = parts = 0
    for text in STRING.finditer(raw):
        parts += 1 + raw.count(b",", place, text.start())
        place = text.end()
        if parts > most:
            break
    parts += raw.count(b",", place)
    if parts > most:
        raise ProblemError(413, f"the JSON has more than {most:,} keys and values: send less at a time")


def checked(make: Callable[[], T]) -> T:
    """What a model makes of a request. Raises RequestValidationError."""
    try:
        return make()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in wrong]) from error


@asynccontextmanager
async def read_form(request: Request, most_files: int, most_bytes: int) -> AsyncIterator[FormData]:
    """The body as a form; what it holds on disk is removed afterwards."""
    async with request.form(max_files=most_files, max_fields=MOST_FIELDS, max_part_size=most_bytes) as form:
        yield form


def fields_of(form: FormData) -> Mapping[str, Any]:
    """The fields of a form that are no files. Raises ProblemError where one comes twice."""
    found: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name in found:
            raise ProblemError(422, f"the field '{shorten(name)}' came twice")
        if not isinstance(value, UploadFile):
            found[name] = value
    return found


def documented(model: type[BaseModel], form: Mapping[str, Any] | None = None, *required: str) -> dict[str, Any]:
    """How OpenAPI is told of a body that is JSON, or may also be a form."""
    content: dict[str, Any] = {JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    if form is not None:
        schema = {"type": "object", "properties": form, "required": [*required], "additionalProperties": False}
        content[FORM] = {"schema": schema}
    return {"requestBody": {"required": True, "content": content}}
