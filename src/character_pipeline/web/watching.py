"""Each request has an id, is counted, timed and logged; the outermost layer of the service."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from character_pipeline.web.metrics import Metrics
from character_pipeline.web.rest.problems import answer as answer_problem
from character_pipeline.web.rest.problems import problem_of

log = logging.getLogger("character_pipeline.requests")
HEADER = b"x-request-id"
PLAIN = (b"x-content-type-options", b"nosniff")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class Watching:
    """Takes the id of a request from `X-Request-ID` where it is a plain one, else makes one, and answers with it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = name
        start, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, name.encode()), PLAIN]
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            if status:
                raise
            await answer_problem(scope, problem_of(scope, error))(scope, receive, answer)
        finally:
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.metrics.requests.labels(method, route, status).inc()
        self.metrics.latency.labels(route).observe(seconds)
        about = {"method": method, "path": scope["path"], "status": status, "ms": round(seconds * 1000, 1)}
        level = logging.DEBUG if scope["path"] in QUIET else logging.INFO
        log.log(level, "request", extra={"about": {**about, "request_id": scope["state"]["request_id"]}})


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return given.decode() if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
