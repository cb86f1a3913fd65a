"""`charpipe train calibration`, from texts with some mistakes to weights that are used."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.attribute_fusion.weights import load_weights
from character_pipeline.cli.main import app
from character_pipeline.errors import ConfigError, MissingExtraError

COLORS = ("black", "blonde", "red", "blue")
SETTINGS: dict[str, Any] = {"clip_analyzer": {"enabled": False}, "picture_analyzers": {"colors": False}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of texts and their truth; every fifth text names another color."""
    folder, rng = tmp_path_factory.mktemp("labelled"), random.Random(0)
    texts, truths = [], []
    for number in range(260):
        true = rng.choice(COLORS)
        said = rng.choice(COLORS) if rng.random() < 0.25 else true
        texts.append({"id": str(number), "text": f"1girl, solo, {said}_hair, smile"})
        attributes = {"Hair Color": true.title(), "Gender": "Female"}
        truths.append({"item_id": str(number), "people": "single", "attributes": attributes, "labels": [*attributes]})
    write(folder / "texts.jsonl", texts)
    write(folder / "truth.jsonl", truths)
    write(folder / "few.jsonl", truths[:50])
    write(folder / "others.jsonl", [{**truth, "item_id": f"x{truth['item_id']}"} for truth in truths])
    with create_pipeline({**SETTINGS, "database": {"db_path": str(folder / "a.db")}}) as pipeline:
        pipeline.process_dataset(folder / "texts.jsonl")
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def train(place: Path, truth: str = "truth.jsonl", output: str = "weights.json") -> Any:
    words = ["train", "calibration", place / "a.db", "--truth", place / truth, "--output", place / output]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_it_learns_tells_how_well_and_is_used(place: Path) -> None:
    done = train(place)
    assert done.exit_code == 0, done.output
    for said in ("Hair Color", "tag_parser", "log loss", "Brier", "ECE", "hierarchical", "fold 5 of 5"):
        assert said in done.output
    weights = load_weights(place / "weights.json")
    assert set(weights.habits) == {"gender", "hair_color"}
    held_out = weights.learned_from["held_out"]
    assert isinstance(held_out, dict)
    assert weights.thresholds["ensemble"]["0.9"]["hair_color"] > 1, "no score tells the wrong color from the right one"
    assert weights.thresholds["ensemble"]["0.9"]["gender"] <= 1
    fusion = {"fusion_strategy": "ensemble", "weights": str(place / "weights.json"), "target_precision": 0.9}
    with create_pipeline({**SETTINGS, "attribute_fusion": fusion}) as pipeline:
        found = pipeline.extract_from_text("1girl, solo, red_hair, smile").attributes
    assert (found["Gender"].value, found["Hair Color"].state) == ("Female", "unknown")
    assert found["Hair Color"].alternatives[0][0] == "Red"
    assert 0.7 < found["Hair Color"].alternatives[0][1] < 0.9


@pytest.mark.parametrize(
    ("truth", "output", "said"),
    [
        ("few.jsonl", "w.json", "50 labelled items are too few"),
        ("others.jsonl", "w.json", "no item of .*others.jsonl"),
        ("gone.jsonl", "w.json", "gone.jsonl"),
        ("truth.jsonl", "no such folder/w.json", "no such folder.*make it first"),
    ],
)
def test_mistakes_are_told(place: Path, truth: str, output: str, said: str) -> None:
    done = train(place, truth, output)
    assert isinstance(done.exception, ConfigError)
    assert done.exception.args
    with pytest.raises(ConfigError, match=said):
        raise done.exception
    assert not (place / output).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--masked"], "no attribute has 50 items"), (["--masked", "--truth", "truth.jsonl"], "leave out --truth")],
)
def test_without_labels_pictures_are_needed(place: Path, words: list[str], said: str) -> None:
    output = place / "masked.json"
    done = CliRunner().invoke(app, ["train", "calibration", str(place / "a.db"), "--output", str(output), *words])
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)
    assert not output.exists()


@pytest.mark.parametrize("package", ["sklearn", "mapie"])
def test_a_missing_package_is_told_before_anything_is_done(
    place: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = train(place, output="none.json")
    assert isinstance(done.exception, MissingExtraError)
    assert "pip install 'character-pipeline[train]'" in str(done.exception)
