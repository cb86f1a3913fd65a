"""The records of a batch as a file: written aside, sent, and removed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from character_pipeline.database.export import WRITERS, export
from character_pipeline.database.queries import Filter
from character_pipeline.errors import CharpipeError

if TYPE_CHECKING:
    from character_pipeline.database.store import Store
    from character_pipeline.web.service import Service

KINDS = tuple(WRITERS)


def of_source(store: Store, uri: str) -> Filter:
    """The items that came from one source."""
    found = Filter()
    found.add("i.source IN (SELECT id FROM sources WHERE uri = ?)", uri)
    return found


def download_router(service: Service) -> APIRouter:
    """The addresses of the downloads."""
    router = APIRouter(include_in_schema=False)

    @router.get("/downloads/{job}/{kind}")
    def download(job: str, kind: str) -> Response:
        known = service.jobs.get(job)
        if known is None or kind not in KINDS:
            raise HTTPException(404, "there is no such batch")
        folder = tempfile.TemporaryDirectory(prefix="charpipe-")
        path = Path(folder.name) / f"records.{kind}"
        try:
            with service.reading() as store:
                export(store, kind, path, of_source(store, known.source))
        except (CharpipeError, OSError) as error:
            folder.cleanup()
            raise HTTPException(500, "the records cannot be written now") from error
        return FileResponse(path, filename=f"{job}.{kind}", background=BackgroundTask(folder.cleanup))

    return router
