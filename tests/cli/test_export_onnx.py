"""`charpipe export-onnx` on a tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from character_pipeline.cli.main import app
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.models.load import load_encoder
from tests.models.checkpoints import make_clip, pictures


def test_the_folder_it_writes_is_a_model(tmp_path: Path) -> None:
    original = make_clip(tmp_path / "original")
    done = CliRunner().invoke(app, ["export-onnx", str(original), "--output", str(tmp_path / "mine"), "--int8"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "fp32: largest difference from the original" in said
    assert "int8: largest difference from the original" in said
    assert "clip_analyzer.model_name" in said
    assert json.loads((tmp_path / "mine" / "charpipe.json").read_text())["logit_scale"] > 0
    encoder = load_encoder(ClipAnalyzerConfig(model_name=str(tmp_path / "mine"), device="cpu"))
    assert encoder.key.startswith("onnx-int8-")
    assert encoder.embed_pictures(pictures(2)).shape == (2, encoder.size)
