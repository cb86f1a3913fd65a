"""Bodies of requests, read by what they say they are: JSON, or a form with files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
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

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def kind_of(request: Request) -> str:
    """JSON or FORM. Raises ProblemError for anything else."""
    given = request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind not in {JSON, FORM}:
        told = f"the Content-Type is '{shorten(given)}'; allowed: {JSON}, {FORM}"
        raise ProblemError(415, told, {"Accept-Post": f"{JSON}, {FORM}"})
    return kind


async def read_json(request: Request, model: type[M]) -> M:
    """The body as a model, parsed beside the event loop. Raises RequestValidationError."""
    raw = await request.body()
    return await run_in_threadpool(checked, lambda: model.model_validate_json(raw))


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


def documented(model: type[BaseModel], form: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    """How OpenAPI is told of a body that may be JSON or a form."""
    properties = {"type": "object", "properties": form, "required": required, "additionalProperties": False}
    content = {JSON: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}, FORM: {"schema": properties}}
    return {"requestBody": {"required": True, "content": content}}
