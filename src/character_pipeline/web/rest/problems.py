"""Errors as clients get them: problem details by RFC 9457, that say what was given, what is allowed, what to do."""

from __future__ import annotations

import http
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from character_pipeline.config import PipelineConfig, without_password
from character_pipeline.data import ERROR_KINDS
from character_pipeline.errors import BusyError, CharpipeError, ConfigError, ItemError, StoreError

log = logging.getLogger("character_pipeline")
MEDIA_TYPE = "application/problem+json"
LONGEST = 200
"""Signs of what was given that are said back."""
RETRY_SECONDS = {429: "1", 503: "5"}
ADVICE = {
    404: "nothing is at {path}: the addresses are listed at /docs",
    405: "{method} is not allowed at {path}; allowed: {allow}",
    413: "the request is larger than serve.max_body_bytes allows: send less at a time",
    500: "an error of the program: its log says more, under the request id of this answer",
}
STATUSES = ((BusyError, 429), (ConfigError, 422), (StoreError, 503))
TOO_LARGE = frozenset({"image_too_large", "file_too_large", "text_too_large"})


class ProblemError(Exception):
    """An answer that is a problem.

    Args:
        more: members of the answer beside the usual ones.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more


def answer(scope: Mapping[str, Any], problem: ProblemError) -> JSONResponse:
    """The answer for a problem."""
    status = problem.status
    title = http.HTTPStatus(status).phrase
    body = {"type": f"urn:charpipe:{title.lower().replace(' ', '-')}", "title": title, "status": status}
    body |= {"detail": problem.detail, **problem.more}
    if name := scope.get("state", {}).get("request_id"):
        body["instance"] = f"urn:charpipe:request:{name}"
    headers = {"Cache-Control": "no-store", **problem.headers}
    if status in RETRY_SECONDS:
        headers.setdefault("Retry-After", RETRY_SECONDS[status])
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def shorten(given: object) -> str:
    """What was given, as it can be said back."""
    text = given if isinstance(given, str) else repr(given)
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def invalid(errors: Sequence[Mapping[str, Any]]) -> ProblemError:
    """The problem for what pydantic found wrong with a request."""
    wrong = [
        {"where": ".".join(map(shorten, error["loc"])), "what": error["msg"], "given": shorten(error.get("input"))}
        for error in errors[:20]
    ]
    first = wrong[0]
    return ProblemError(422, f"{first['where']}: {first['what']} (given: {first['given']})", errors=wrong)


def of_item(kind: str, message: str) -> ProblemError:
    """The problem for an item that cannot be described at all."""
    advice = ERROR_KINDS.get(kind, (False, ""))[1]
    return ProblemError(413 if kind in TOO_LARGE else 422, shorten(message), kind=kind, advice=advice)


def add_handlers(app: FastAPI, config: PipelineConfig) -> None:
    """Have every error answered as a problem. Nothing says where files of this machine are."""
    place = config.database.db_path
    names = {place, without_password(place), str(Path(place)), str(Path(place).absolute())}

    def hide(text: str) -> str:
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, "the database")
        return text

    def handle(request: Request, error: Exception) -> JSONResponse:
        problem = problem_of(request.scope, error)
        problem.detail = hide(problem.detail)
        return answer(request.scope, problem)

    for kind in (ProblemError, RequestValidationError, HTTPException, CharpipeError, sqlite3.Error):
        app.add_exception_handler(kind, handle)


def problem_of(scope: Mapping[str, Any], error: Exception) -> ProblemError:
    """What an error is to a client."""
    match error:
        case ProblemError():
            problem = error
        case RequestValidationError():
            problem = invalid(error.errors())
        case HTTPException():
            problem = _of_http(scope, error)
        case ItemError():
            problem = of_item(error.kind, str(error))
        case BusyError() | ConfigError() | StoreError():
            problem = ProblemError(_status(error), str(error))
        case sqlite3.Error():
            log.error("the database: %s", error)
            problem = ProblemError(503, "the database does not answer: ask again soon")
        case _:
            log.error("unexpected: %s %r", scope.get("method"), scope.get("path"), exc_info=error)
            problem = ProblemError(500, ADVICE[500])
    return problem


def _status(error: CharpipeError) -> int:
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def _of_http(scope: Mapping[str, Any], error: HTTPException) -> ProblemError:
    headers = dict(error.headers or {})
    names = {"path": shorten(scope.get("path", "")), "method": scope.get("method"), "allow": headers.get("allow", "")}
    names["allow"] = names["allow"] or headers.get("Allow", "")
    said = ADVICE[error.status_code].format(**names) if error.status_code in ADVICE else shorten(error.detail)
    return ProblemError(error.status_code, said, headers)
