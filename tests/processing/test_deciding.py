"""A run is named by all that its decisions come from, also by what is in the file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from character_pipeline.attribute_fusion.weights import CurveRow, Weights, load_weights
from character_pipeline.config import PipelineConfig, load_config
from character_pipeline.errors import ConfigError
from character_pipeline.processing.deciding import deciding_digest, make_fuser
from character_pipeline.processing.stages import fingerprint
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()


def config(path: Path, **fusion: Any) -> PipelineConfig:
    return load_config({"attribute_fusion": {"weights": str(path), **fusion}})


def prints(path: Path) -> dict[str, str]:
    """Fingerprints of runs with this file, by what they use of it."""
    runs: dict[str, dict[str, Any]] = {
        "rules": {},
        "curves": {"fusion_strategy": "ensemble"},
        "thresholds": {"target_precision": 0.98},
        "both": {"fusion_strategy": "bayesian", "target_precision": 0.98},
    }
    return {name: fingerprint(config(path, **fusion), VOCABULARY, ()) for name, fusion in runs.items()}


def test_the_content_of_the_weights_counts_where_it_is_used(tmp_path: Path) -> None:
    path, weights = tmp_path / "weights.json", load_weights()
    weights.save(path)
    first = prints(path)
    assert len(set(first.values())) == 4
    weights.save(path)
    assert prints(path) == first
    curves = weights.model_copy(update={"curves": {"tag_parser": {"*": CurveRow(slope=0.9)}}})
    curves.save(path)
    assert {name for name, found in prints(path).items() if found != first[name]} == {"curves", "both"}
    lower = {"0.98": {"hair_color": 0.5}}
    weights.model_copy(update={"thresholds": dict.fromkeys(weights.thresholds, lower)}).save(path)
    assert {name for name, found in prints(path).items() if found != first[name]} == {"thresholds", "both"}


def test_rules_alone_read_no_weights(tmp_path: Path) -> None:
    assert deciding_digest(config(tmp_path / "gone.json"), VOCABULARY) == ""
    assert make_fuser(config(tmp_path / "gone.json"), VOCABULARY).thresholds is None


@pytest.mark.parametrize("fusion", [{"fusion_strategy": "ensemble"}, {"target_precision": 0.98}])
def test_weights_that_are_needed_must_be_there(tmp_path: Path, fusion: dict[str, Any]) -> None:
    for ask in (deciding_digest, make_fuser):
        with pytest.raises(ConfigError, match=r"gone\.json"):
            ask(config(tmp_path / "gone.json", **fusion), VOCABULARY)
    Weights().save(tmp_path / "empty.json")
    if "target_precision" in fusion:
        with pytest.raises(ConfigError, match="no thresholds"):
            make_fuser(config(tmp_path / "empty.json", **fusion), VOCABULARY)
