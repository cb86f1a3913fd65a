"""A data set that a random model can learn: pictures in the colour that their tags give the hair."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from character_pipeline import create_pipeline
from character_pipeline.database.store import Store

COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220)}


def draw_set(folder: Path, count: int) -> Path:
    """Pictures with their tags beside them."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(5)
    for number in range(count):
        name = sorted(COLOURS)[number % 2]
        noise = chance.integers(0, 90, (40, 36, 3))
        pixels = np.clip(np.array(COLOURS[name]) + noise - 45, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png")
        (folder / f"{number:03}.txt").write_text(f"1girl, solo, {name}_hair", encoding="utf-8")
    return folder


def settings(model: Path, **more: object) -> dict[str, object]:
    asked = {"model_name": str(model), "backend": "torch", "device": "cpu", **more}
    return {"clip_analyzer": asked, "picture_analyzers": {"colors": False}}


def write_settings(path: Path, model: Path, **more: object) -> Path:
    path.write_text(json.dumps(settings(model, **more)), encoding="utf-8")
    return path


def extracted(data: Path, model: Path, db: Path) -> Store:
    """The database of a run over a data set, for reading."""
    with create_pipeline({**settings(model), "database": {"db_path": str(db)}, "run": {"workers": 1}}) as pipeline:
        pipeline.process_dataset(data)
    return Store(db, writable=False)
