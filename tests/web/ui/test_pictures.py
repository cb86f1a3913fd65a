"""Small pictures: of items alone, as long as they are what they were, and never of what was set aside."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from character_pipeline.sample import bundled_folder
from character_pipeline.web.service import Service
from character_pipeline.web.ui.pictures import PLACEHOLDER, Pictures, picture_router, shrink
from tests.conftest import picture_bytes
from tests.web.conftest import settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture, one that is quarantined, and one that is broken."""
    place = tmp_path / "data"
    place.mkdir()
    for name in ("0000.webp", "0000.txt"):
        shutil.copy(bundled_folder() / name, place / name)
    shutil.copy(bundled_folder() / "0001.webp", place / "aside.webp")
    (place / "aside.txt").write_text("1girl, solo, loli, nude")
    (place / "broken.png").write_bytes(picture_bytes()[:30])
    return place


@pytest.fixture
def filled(tmp_path: Path, folder: Path) -> Service:
    service = Service(settings(tmp_path))
    service.pipeline.run(folder)
    return service


def test_pictures_are_small_and_kept(filled: Service) -> None:
    with filled:
        pictures = Pictures(filled)
        raw = pictures.find("0000.webp", 160)
        assert raw is not None
        assert max(Image.open(io.BytesIO(raw)).size) == 160
        assert pictures.find("0000.webp", 160) is raw


@pytest.mark.parametrize("item", ["aside.webp", "broken.png", "missing.png", "../data/0000.webp", "", "\0"])
def test_nothing_else_is_shown(filled: Service, item: str) -> None:
    with filled:
        assert Pictures(filled).find(item, 160) is None


def test_a_picture_that_changed_or_is_gone_is_not_shown(filled: Service, folder: Path) -> None:
    with filled:
        (folder / "0000.webp").write_bytes((folder / "aside.webp").read_bytes())
        assert Pictures(filled).find("0000.webp", 160) is None
        (folder / "0000.webp").unlink()
        assert Pictures(filled).find("0000.webp", 160) is None


def test_memory_is_bounded(filled: Service) -> None:
    with filled:
        pictures = Pictures(filled, most_bytes=10)
        assert pictures.find("0000.webp", 160) is not None
        assert pictures._size == 0


def test_large_pictures_are_refused() -> None:
    with pytest.raises(Exception, match="pixels"):
        shrink(picture_bytes(size=(100, 100)), 160, max_pixels=50)


def test_addresses(filled: Service) -> None:
    app = FastAPI()
    app.include_router(picture_router(filled))
    with filled, TestClient(app) as client:
        found = client.get("/pictures", params={"item": "0000.webp", "side": 5})
        assert found.headers["content-type"] == "image/webp"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert client.get("/pictures", params={"item": "aside.webp"}).text == PLACEHOLDER
        assert client.get("/pictures/examples/0").headers["content-type"] == "image/webp"
        assert client.get("/pictures/examples/9999").text == PLACEHOLDER
