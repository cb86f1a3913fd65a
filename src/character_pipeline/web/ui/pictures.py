"""Small pictures of items for the pages: decoded when asked for, kept while there is room, without any path."""

from __future__ import annotations

import io
import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response

from character_pipeline.errors import CharpipeError
from character_pipeline.input_loader import ImageOptions, load_image
from character_pipeline.runs.reopening import read_picture
from character_pipeline.sample import bundled_folder

if TYPE_CHECKING:
    from character_pipeline.web.service import Service

MOST_BYTES = 64 * 2**20
AT_ONCE = 2
"""Pictures that are decoded at a time: a large one takes much memory."""
SIDES = (160, 320, 960)
KEPT_SECONDS = 600
PLACEHOLDER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96">'
    '<rect width="96" height="96" fill="#8885"/>'
    '<path d="M22 70l18-24 12 15 9-11 14 20zM66 34a6 6 0 1 1-12 0 6 6 0 0 1 12 0z" fill="#8888"/></svg>'
)


class Pictures:
    """Pictures of items, made small, the newest of them in memory."""

    def __init__(self, service: Service, most_bytes: int = MOST_BYTES) -> None:
        self.service = service
        self.most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._decoding = threading.BoundedSemaphore(AT_ONCE)

    def find(self, item_id: str, side: int) -> bytes | None:
        """A picture as WebP, no side longer than `side`; None where it cannot be shown."""
        key = (item_id, side)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        with self._decoding:
            made = self._make(item_id, side)
        if made is not None:
            self._keep(key, made)
        return made

    def _make(self, item_id: str, side: int) -> bytes | None:
        try:
            with self.service.reading() as store:
                raw = read_picture(store, item_id)
            return None if raw is None else shrink(raw, side, self.service.config.input_loader.max_pixels)
        except (CharpipeError, OSError, sqlite3.Error):
            return None

    def _keep(self, key: tuple[str, int], made: bytes) -> None:
        with self._lock:
            self._size += len(made) - len(self._kept.pop(key, b""))
            self._kept[key] = made
            while self._size > self.most_bytes:
                self._size -= len(self._kept.popitem(last=False)[1])


def shrink(raw: bytes, side: int, max_pixels: int) -> bytes:
    """A picture as WebP, no side longer than `side`. Raises ItemError where it cannot be decoded."""
    picture = load_image(raw, ImageOptions(max_pixels, side)).image
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def examples() -> list[Path]:
    """The pictures of the bundled sample."""
    return sorted(bundled_folder().glob("*.webp"))


def picture_router(service: Service) -> APIRouter:
    """The addresses of the pictures."""
    router, pictures = APIRouter(include_in_schema=False), Pictures(service)

    @router.get("/pictures")
    def picture(item: Annotated[str, Query(max_length=4096)], side: int = SIDES[0]) -> Response:
        return _answer(pictures.find(item, min(SIDES, key=lambda one: abs(one - side))))

    @router.get("/pictures/examples/{number}")
    def example(number: int) -> Response:
        known = examples()
        return _answer(known[number].read_bytes() if 0 <= number < len(known) else None)

    return router


def _answer(raw: bytes | None) -> Response:
    """A picture, or what stands in its place; never what a browser would take for a page."""
    safe = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    if raw is None:
        return Response(PLACEHOLDER, media_type="image/svg+xml", headers={**safe, "Cache-Control": "no-store"})
    kept = {"Cache-Control": f"private, max-age={KEPT_SECONDS}"}
    return Response(raw, media_type="image/webp", headers={**safe, **kept})
