"""`charpipe train probes` end to end: tags teach, a file is written, the next run uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from character_pipeline.extractors.probes import load_probes
from tests.cli.test_cli import charpipe
from tests.models.checkpoints import make_clip
from tests.training.tagged_pictures import draw_set, write_settings


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set that was extracted, of which one picture has no text."""
    place = tmp_path_factory.mktemp("probes")
    draw_set(place / "data", 160)
    (place / "data" / "000.txt").unlink()
    config = write_settings(place / "plain.json", make_clip(place / "model"))
    charpipe("extract", place / "data", "--output", place / "out", "--config", config, "--quiet")
    return place


def test_tags_teach_what_pictures_show(place: Path) -> None:
    done = charpipe("train", "probes", place / "out", "--output", place / "p.safetensors")
    assert "159 tagged pictures" in done.stderr
    assert "prompts > probes" in done.stdout
    assert "Hair Color" in done.stdout
    heads = load_probes(place / "p.safetensors").heads
    assert [head.about.attribute for head in heads] == ["hair_color"]
    assert heads[0].about.scores["probes"]["accuracy"] > 0.95
    config = write_settings(place / "with.json", place / "model", probes=str(place / "p.safetensors"))
    again = charpipe("extract", place / "data", "--output", place / "out", "--config", config)
    assert "pictures: 0 read" in " ".join(again.stdout.split())
    record = json.loads(charpipe("show", "000.png", "--db", place / "out", "--json").stdout)
    hair = record["attributes"]["Hair Color"]
    assert hair["value"] == "Blue"
    assert [claim["source"] for claim in hair["evidence"]] == ["probe_analyzer/1"]
    assert hair["evidence"][0]["from"] == "probe: trained on 159 tags"


def test_probes_of_another_model_stop_the_run(place: Path) -> None:
    charpipe("train", "probes", place / "out", "--output", place / "q.safetensors")
    other = make_clip(place / "other", seed=3)
    config = write_settings(place / "other.json", other, probes=str(place / "q.safetensors"))
    done = charpipe("extract", place / "data", "--output", place / "no", "--config", config, code=2)
    assert "clip_analyzer.probes were trained on vectors of model" in done.stderr
    assert not (place / "no").exists()


def test_a_model_that_read_nothing_is_told(place: Path) -> None:
    config = write_settings(place / "third.json", make_clip(place / "third", seed=4))
    done = charpipe("train", "probes", place / "out", "--output", place / "r", "--config", config, code=2)
    assert "none was read by the model of the settings" in done.stderr
    assert not (place / "r").exists()


def test_show_uses_probes(place: Path) -> None:
    charpipe("train", "probes", place / "out", "--output", place / "s.safetensors")
    config = write_settings(place / "show.json", place / "model", probes=str(place / "s.safetensors"))
    done = charpipe("show", place / "data" / "001.png", "--config", config, "--json")
    assert "probe_analyzer/1" in done.stdout
