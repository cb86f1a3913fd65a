"""A service with the embedded model, and the pictures of the package to ask it about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from character_pipeline.sample import bundled_folder
from character_pipeline.web.service import Service


def settings(folder: Path, **serve: Any) -> dict[str, Any]:
    return {
        "clip_analyzer": {"model_name": "embedded"},
        "database": {"db_path": str(folder / "service.db")},
        "serve": serve,
    }


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(settings(tmp_path_factory.mktemp("service"))) as service:
        service.warm()
        yield service


@pytest.fixture(scope="session")
def pictures() -> list[tuple[bytes, str | None]]:
    """Pictures of the package, each with its text where it has one."""
    paths = sorted(bundled_folder().glob("*.webp"))[:12]
    return [(path.read_bytes(), _text_beside(path)) for path in paths]


def _text_beside(path: Path) -> str | None:
    text = path.with_suffix(".txt")
    return text.read_text() if text.exists() else None
