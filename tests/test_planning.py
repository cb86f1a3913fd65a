"""Plans: what is measured on a sample holds for the whole, and the arithmetic is that of the hardware asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.benchmark import make_texts
from character_pipeline.cli.main import app
from character_pipeline.config import load_config
from character_pipeline.errors import ConfigError
from character_pipeline.planning import Hardware, duration_text, plan_run
from tests.conftest import picture_bytes


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    rows = [{"id": str(number), "text": text} for number, text in enumerate(make_texts(500))]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_a_plan_measures_a_sample_and_leaves_nothing_behind(texts: Path) -> None:
    config = load_config({"database": {"db_path": str(texts.parent / "there" / "a.db")}})
    asked = [Hardware(16), Hardware(16, machines=10), Hardware(16, pictures_per_second=50.0)]
    plan = plan_run(create_pipeline, config, str(texts), 100, asked)
    assert (plan.items, plan.sample, plan.pictures, plan.failed) == (500, 100, 0.0, 0)
    assert plan.costs["texts and claims"] > plan.costs["decoding"] == plan.costs["models"] == 0.0
    here, more, many, _ = plan.estimates
    assert more.parts["processors"] == pytest.approx(10 * many.parts["processors"])
    assert here.parts["writing"] == many.parts["writing"], "one process writes"
    assert here.seconds == max(here.parts.values())
    assert [path.name for path in texts.parent.iterdir()] == ["texts.jsonl"]
    with create_pipeline({"database": {"db_path": str(texts.parent / "whole.db")}}) as pipeline:
        pipeline.run(texts, limit=1)
        empty = (texts.parent / "whole.db").stat().st_size
        pipeline.run(texts)
    assert 0.6 < plan.disk / ((texts.parent / "whole.db").stat().st_size - empty) < 1.6


def test_a_gpu_takes_the_models_part(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.png").write_bytes(picture_bytes(size=(40 + number, 50), color=(number, 200, 9)))
    (tmp_path / "broken.png").write_bytes(b"none")
    done = CliRunner().invoke(
        app, ["plan", str(tmp_path), "--sample", "40", "--cores", "4", "--pictures-per-second", "2", "--json"]
    )
    plan = json.loads(done.stdout)
    assert plan["failed"] == 1
    assert plan["pictures"] == pytest.approx(22 / 23)
    here, there = plan["estimates"]
    assert "gpu" not in here["parts"]
    assert there["bound"] == "gpu"
    assert there["seconds"] == pytest.approx(31 * plan["pictures"] / 2)
    shown = CliRunner().invoke(app, ["plan", str(tmp_path), "--sample", "10"]).output
    assert "31 items" in shown
    assert "2 processors" in shown or "processors" in shown


def test_nothing_to_plan(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no items"):
        plan_run(create_pipeline, load_config(None), str(tmp_path))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (80, "80 s"), (91, "1.5 min"), (6000, "1.7 h"), (400_000, "4.6 days")]
)
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
