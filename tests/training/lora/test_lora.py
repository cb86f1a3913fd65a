"""A vision tower that learns from tags, from a database to a checkpoint that is used like any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from character_pipeline.config import ClipAnalyzerConfig, load_config
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.models.export import export_onnx
from character_pipeline.models.load import load_encoder
from character_pipeline.models.manifest import read_manifest
from character_pipeline.training.lora.tuning import Settings, train_lora
from tests.models.checkpoints import make_clip
from tests.training.tagged_pictures import draw_set, extracted, settings

QUICK = Settings(passes=4, batch=16, rate=5e-3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("lora") / "model")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_set(tmp_path_factory.mktemp("lora-data") / "pictures", 200)


@pytest.fixture(scope="module")
def store(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    found = extracted(data, model, tmp_path_factory.mktemp("lora-db") / "x.db")
    yield found
    found.close()


@pytest.fixture(scope="module")
def tuned(
    store: Store, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, tuple[float, float]]]:
    folder = tmp_path_factory.mktemp("tuned") / "model"
    return folder, train_lora(store, load_config(settings(model)), folder, QUICK)


def torch_settings(folder: Path) -> ClipAnalyzerConfig:
    return ClipAnalyzerConfig(model_name=str(folder), backend="torch", device="cpu")


def test_what_tags_say_is_learnt(tuned: tuple[Path, dict[str, tuple[float, float]]]) -> None:
    before, after = tuned[1]["hair_color"]
    assert after > 0.95
    assert after >= before
    manifest = read_manifest(tuned[0])
    assert manifest.attributes is not None
    assert manifest.attributes["hair_color"].trust > 0.9
    assert manifest.attributes["eye_color"].trust < 0.5, "what was not measured only hints"


def test_only_the_vision_tower_changes(tuned: tuple[Path, dict[str, tuple[float, float]]], model: Path) -> None:
    old, new = (load_encoder(torch_settings(folder)) for folder in (model, tuned[0]))
    sentences = ["red hair", "a photo of glasses"]
    assert np.abs(old.embed_texts(sentences) - new.embed_texts(sentences)).max() < 1e-6
    assert new.key != old.key
    assert not list(tuned[0].glob("adapter*"))


def test_the_checkpoint_can_be_used_and_exported(
    tuned: tuple[Path, dict[str, tuple[float, float]]], data: Path, tmp_path: Path
) -> None:
    parity = export_onnx(str(tuned[0]), tmp_path / "onnx")
    assert parity[0].cosine > 0.999
    found = extracted(data, tuned[0], tmp_path / "again.db")
    seen = found.db.execute("SELECT count(*) FROM details WHERE decided LIKE '%clip_analyzer%'").fetchone()[0]
    found.close()
    assert seen == 200


def test_whoever_may_read_one_file_of_the_checkpoint_may_read_all(
    tuned: tuple[Path, dict[str, tuple[float, float]]],
) -> None:
    assert len({path.stat().st_mode for path in tuned[0].iterdir()}) == 1


def test_pictures_that_were_moved_are_named(store: Store, model: Path, data: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(data, tmp_path / "moved")
    once = Settings(passes=1, batch=64)
    train_lora(store, load_config(settings(model)), tmp_path / "out", once, data=moved)
    about = json.loads((tmp_path / "out" / "charpipe.json").read_text())["about"]
    assert 100 < about["pictures"] < 200
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="say where with --data"):
        train_lora(store, load_config(settings(model)), tmp_path / "none", once, data=tmp_path / "empty")
    assert not (tmp_path / "none").exists()


def test_nothing_is_overwritten(store: Store, model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        train_lora(store, load_config(settings(model)), tmp_path, QUICK)
