"""REST, metrics and pages, as one application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from character_pipeline.config import PipelineConfig
from character_pipeline.web.access import Keys, Names, needs_key
from character_pipeline.web.limits import BodyLimit, WorkLimit
from character_pipeline.web.rest import about, batches, extract, page, results
from character_pipeline.web.rest.openapi import describe
from character_pipeline.web.rest.problems import add_handlers
from character_pipeline.web.service import Service
from character_pipeline.web.watching import Watching

OURS = ("/v1/", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz")


def create_app(config: Mapping[str, Any] | str | Path | PipelineConfig | None = None, *, ui: bool = True) -> FastAPI:
    """The application for a configuration; its service is closed when it is shut down. Raises as `Service` does.

    Args:
        ui: whether there are pages beside REST.
    """
    service = Service(config)
    app = FastAPI(
        title="character_pipeline",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=_layers(service),
    )
    app.state.service = service
    for part in (extract, batches, results, about):
        app.include_router(part.router)
    add_handlers(app, service.config)
    _add_docs(app, service)
    app.state.pages = _make_pages(service) if ui else None
    if ui:
        app.router.default = _Pages(app.router.not_found, app.state.pages)
    return app


def _layers(service: Service) -> list[Middleware]:
    """What each request goes through, from the outside to the inside."""
    serve = service.config.serve
    layers = [Middleware(Watching, metrics=service.metrics), Middleware(Names, config=serve)]
    if serve.cors_origins:
        every = ["*"]
        origins = list(serve.cors_origins)
        layers.append(Middleware(CORSMiddleware, allow_origins=origins, allow_methods=every, allow_headers=every))
    layers += [Middleware(Keys, service=service), Middleware(BodyLimit, most=serve.max_body_bytes)]
    return [*layers, Middleware(WorkLimit, config=serve)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    service.warm_aside()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(run_in_threadpool, service.close)
        if app.state.pages is not None:
            await stack.enter_async_context(app.state.pages.router.lifespan_context(app.state.pages))
        yield


def _add_docs(app: FastAPI, service: Service) -> None:
    document = describe(app, service.vocabulary, needs_key(service.config.serve))
    shown = page.render(document)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(document)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(shown, headers={"Content-Security-Policy": page.POLICY})


def _make_pages(service: Service) -> FastAPI:
    from character_pipeline.web.ui import mount_ui

    return mount_ui(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), service)


class _Pages:
    """Whatever REST has no route for is a page; but below its own addresses there are none."""

    def __init__(self, nowhere: ASGIApp, pages: ASGIApp) -> None:
        self.nowhere = nowhere
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ours = scope["type"] != "lifespan" and scope["path"].startswith(OURS)
        await (self.nowhere if ours else self.pages)(scope, receive, send)
