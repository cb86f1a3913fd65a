"""Checkpoints that several tests look at; made once, never changed."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from character_pipeline.models.export import export_onnx
from tests.models.checkpoints import make_clip, make_convnext, make_siglip

MAKERS = {"clip": make_clip, "siglip": make_siglip, "convnext": make_convnext}


@pytest.fixture(autouse=True)
def apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has caches of its own."""
    place = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setenv("HF_HUB_CACHE", str(place / "hub"))


@pytest.fixture(scope="session", params=sorted(MAKERS))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint for torch, of each family."""
    return MAKERS[request.param](tmp_path_factory.mktemp(request.param) / "original")


@pytest.fixture(scope="session")
def exported(original: Path, request: pytest.FixtureRequest) -> Path:
    """The same for ONNX Runtime. Every export takes seconds, so that of CLIP serves all who need one."""
    if original.parent.name.startswith("clip"):
        return cast("Path", request.getfixturevalue("clip"))
    folder = original.parent / "exported"
    export_onnx(str(original), folder)
    return folder


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One checkpoint for both backends: CLIP, with safetensors and ONNX files."""
    folder = make_clip(tmp_path_factory.mktemp("clip") / "both")
    export_onnx(str(folder), folder, int8=True)
    return folder
