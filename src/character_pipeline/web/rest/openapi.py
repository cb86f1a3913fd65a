"""The OpenAPI document: what FastAPI knows of the routes, with the problems that any of them may answer with."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from character_pipeline import __version__
from character_pipeline.schema import flat_schema
from character_pipeline.vocabulary import Vocabulary
from character_pipeline.web.rest.models import BatchRequest, ExtractRequest, FeedbackRequest, Problem
from character_pipeline.web.rest.problems import MEDIA_TYPE

ABOUT = """Turns character pictures and messy tags into clean, structured attributes, each with its evidence.

Every error is a problem by RFC 9457: `detail` says what was given, what is allowed and what to do. Where keys are asked
for, send `Authorization: Bearer KEY` or `X-API-Key: KEY`. `X-Request-ID` is answered with, and is in the log."""
ANYWHERE = {
    "401": "an API key is needed",
    "403": "asked under a name, or from a page, that is not allowed",
    "422": "what was given is not understood",
    "429": "busy: ask again after Retry-After seconds",
    "500": "an error of the program",
    "503": "the store or the model does not answer",
    "504": "it took too long",
}
WITH_BODY = {"400": "the body breaks off", "413": "too large", "415": "not a kind of body that is read"}
BODIES: tuple[type[BaseModel], ...] = (ExtractRequest, BatchRequest, FeedbackRequest, Problem)


def describe(app: FastAPI, vocabulary: Vocabulary, keys: bool) -> dict[str, Any]:
    """The document. Flat records are described with the attributes and values of the vocabulary."""
    document = get_openapi(title="character_pipeline", version=__version__, description=ABOUT, routes=app.routes)
    modes: Any = [(model, "validation") for model in BODIES]
    extra = models_json_schema(modes, ref_template="#/components/schemas/{model}")[1]["$defs"]
    schemas = document["components"]["schemas"]
    schemas.update(extra)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _describe_records(schemas["FlatRecord"], vocabulary)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_problems(operation, path, method)
    if keys:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"key": []}]
    return document


def _describe_records(schema: dict[str, Any], vocabulary: Vocabulary) -> None:
    flat = flat_schema(vocabulary)
    schema["properties"] = {**flat["properties"], "status": schema["properties"]["status"],
                            "errors": schema["properties"]["errors"]}  # fmt: skip
    schema["additionalProperties"] = False


def _add_problems(operation: dict[str, Any], path: str, method: str) -> None:
    """Every error is a problem, and nothing else."""
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    expected = dict(ANYWHERE) if path.startswith("/v1/") else {"403": ANYWHERE["403"], "500": ANYWHERE["500"]}
    if path == "/metrics":
        expected["401"] = ANYWHERE["401"]
    expected |= WITH_BODY if method in {"post", "put"} else {}
    responses = operation["responses"]
    told = {code: response["description"] for code, response in responses.items() if code >= "400" and code != "422"}
    for code, what in {**expected, **told}.items():
        responses[code] = {"description": what, "content": {MEDIA_TYPE: problem}}
        if code in {"429", "503"}:
            responses[code]["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "seconds"}}
    if "422" not in expected:
        responses.pop("422", None)
