"""Small corpora for training tests."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from character_pipeline.sample import draw, render
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.drawn import drawn_pairs


@pytest.fixture(scope="session")
def drawn() -> Corpus:
    return drawn_pairs(range(48)).views()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled avatar set in the style "plain": drawn portraits with some of their truth."""
    path = tmp_path_factory.mktemp("avatars") / "plain.tar"
    with tarfile.open(path, "w") as tar:
        for number in range(40):
            drawing = draw(24 * number, "flat", "portrait")
            labels = {k: v for k, v in drawing.truth["attributes"].items() if k in {"Hair Color", "Accessories"}}
            labels |= {"Facial Hair": "Facial Hair" in drawing.truth["attributes"], "skin_hex": "fcdac4"}
            picture = io.BytesIO()
            render(drawing, 96).save(picture, "PNG")
            _add(tar, f"{number:03}.png", picture.getvalue())
            _add(tar, f"{number:03}.json", json.dumps(labels).encode())
        _add(tar, "alone.json", b"{}")
    return path


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
