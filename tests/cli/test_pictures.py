"""What the command line says of pictures, without a network and without torch's models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_cli import answer, charpipe
from tests.test_package import SOURCE

BUNDLED = SOURCE / "character_pipeline" / "sample" / "bundled"
NOTE = "the small embedded model reads the pictures, not openai/clip-vit-base-patch32"


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Four of the bundled samples, the first without its text."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for path in sorted(BUNDLED.glob("000[0-3].*")):
        shutil.copy(path, folder)
    (folder / "0000.txt").unlink()
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_the_report_names_the_model_and_what_it_added(samples: Path, tmp_path: Path, workers: int) -> None:
    done = charpipe("extract", samples, "--output", tmp_path / "out", "--workers", workers)
    said = " ".join(done.stdout.split())
    assert "pictures: 4 read (" in said
    assert "by charpipe-embedded, int8 on cpu, " in said
    assert "only pictures say" in said
    assert "without text: 1; described from the picture alone" in said
    assert done.stderr.count(NOTE) == 1
    assert "network" in done.stderr or "pip install" in done.stderr
    speakers = json.loads((tmp_path / "out" / "stats.json").read_text())["speakers"]
    assert any(name.startswith("charpipe-embedded") for name in speakers.values())


def test_show_says_who_saw_what(samples: Path) -> None:
    record = answer("show", samples / "0000.webp")
    claims = [claim for decided in record["attributes"].values() for claim in decided["evidence"]]
    claims += record["reasons"]
    assert claims
    assert {claim["source"] for claim in claims} <= {"clip_analyzer/1", "color_analyzer/1", "picture_quality/3"}
    seen = [claim["from"] for claim in claims if claim["source"] == "clip_analyzer/1"]
    assert seen
    assert all(origin.startswith('charpipe-embedded: "') for origin in seen)


def test_pictures_can_be_left_unread(samples: Path, tmp_path: Path) -> None:
    settings = tmp_path / "texts.toml"
    settings.write_text(
        "[clip_analyzer]\nenabled = false\n[picture_analyzers]\ncolors = false\nquality = false\n", encoding="utf-8"
    )
    done = charpipe("extract", samples, "--output", tmp_path / "out", "--config", settings)
    assert "pictures:" not in done.stdout
    assert "nobody read a picture: these stay unknown" in " ".join(done.stdout.split())
    assert NOTE not in done.stderr


def test_a_model_that_is_not_there_is_told_before_anything_is_written(samples: Path, tmp_path: Path) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text('[clip_analyzer]\nmodel_name = "./no/such/folder"\n', encoding="utf-8")
    done = charpipe("extract", samples, "--output", tmp_path / "out", "--config", settings, code=2)
    assert "clip_analyzer.model_name './no/such/folder' is no folder here" in done.stderr
    assert not (tmp_path / "out").exists()
