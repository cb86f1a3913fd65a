"""What the service knows of itself: statistics, vocabulary, health, metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from character_pipeline import __version__
from character_pipeline.data import STATES
from character_pipeline.database.queries import get_statistics
from character_pipeline.web.rest.models import AttributeAbout, Health, Problem, StatisticsAnswer, VocabularyAnswer
from character_pipeline.web.rest.problems import ProblemError
from character_pipeline.web.service import Service

router = APIRouter()
NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "not yet, or no longer"}}


@router.get("/v1/statistics", tags=["about"], summary="What is in the store")
def statistics(request: Request) -> StatisticsAnswer:
    service: Service = request.app.state.service
    with service.reading() as store:
        return StatisticsAnswer.model_validate(get_statistics(store))


@router.get("/v1/vocabulary", tags=["about"], summary="Attributes, values, states, strategies")
def vocabulary(request: Request) -> VocabularyAnswer:
    service: Service = request.app.state.service
    known = service.vocabulary
    attributes = [
        AttributeAbout(key=one.key, label=one.label, many=one.many, values=list(one.values))
        for one in known.attributes.values()
    ]
    return VocabularyAnswer(
        version=known.version,
        digest=known.digest,
        attributes=attributes,
        states=list(STATES),
        strategies=service.strategies,
    )


@router.get("/healthz", tags=["watching"], summary="Whether the process answers")
async def healthz() -> Health:
    return Health(status="ok", version=__version__)


@router.get("/readyz", tags=["watching"], summary="Whether it can work", responses=NOT_READY)
def readyz(request: Request) -> Health:
    """Ready when the model has answered once and the store can be read."""
    service: Service = request.app.state.service
    if not service.ready.is_set():
        raise ProblemError(503, service.failure or "the model is being loaded: ask again soon")
    with service.reading() as store:
        store.db.execute("SELECT 1 FROM runs LIMIT 1").fetchone()
    return Health(status="ready", version=__version__)


@router.get(
    "/metrics",
    tags=["watching"],
    summary="Numbers for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    service: Service = request.app.state.service
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
