"""With a budget, pictures that are not worth their cost stay unseen; whatever the cache knows of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.errors import ConfigError

SAMPLES = Path(__file__).parents[2] / "src" / "character_pipeline" / "sample" / "bundled"
TOLD = (
    "1girl, solo, adult, red_hair, long_hair, blue_eyes, smile, school_uniform, slim, glasses, ponytail, "
    "pale_skin, scar_on_cheek, tattoo, hat"
)


def learned(tmp_path: Path, **policy: Any) -> CharacterPipeline:
    return create_pipeline(
        {
            "clip_analyzer": {"model_name": "embedded", "threads": 1},
            "attribute_fusion": {"fusion_strategy": "learned"},
            "rl_optimizer": policy,
            "database": {"db_path": str(tmp_path / "x.db")},
            "run": {"workers": 1},
        }
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(4):
        shutil.copy(SAMPLES / f"{number:04}.webp", folder)
    for number in range(3):
        (folder / f"{number:04}.txt").write_text(TOLD)
    return folder


def test_what_texts_tell_is_not_looked_at_but_what_has_no_text_is(data: Path, tmp_path: Path) -> None:
    with learned(tmp_path, budget_ms=0.0) as pipeline:
        summary = pipeline.run(data)
        assert summary.counts["pictures_spared"] == 3
        assert summary.counts["pictures_read"] == 1
        for result in pipeline.process_dataset(data):
            claims = [claim for one in result.attributes.attributes.values() for claim in one.evidence]
            heard = {claim.extractor for claim in claims}
            assert "clip_analyzer" in heard if result.item_id == "0003.webp" else heard == {"tag_parser"}


def test_the_cache_changes_nothing(data: Path, tmp_path: Path) -> None:
    with learned(tmp_path) as pipeline:
        assert pipeline.run(data).counts["pictures_read"] == 4
    with learned(tmp_path, budget_ms=0.0) as pipeline:
        assert pipeline.run(data).counts["pictures_spared"] == 3
        cached = [result.attributes.to_detail() for result in pipeline.process_dataset(data)]
    with learned(tmp_path / "fresh", budget_ms=0.0) as pipeline:
        fresh = [result.attributes.to_detail() for result in pipeline.process_dataset(data)]
    assert cached == fresh


def test_a_large_budget_looks_at_everything(data: Path, tmp_path: Path) -> None:
    with learned(tmp_path, budget_ms=1_000.0) as pipeline:
        assert pipeline.run(data).counts["pictures_read"] == 4


def test_a_budget_needs_a_policy(tmp_path: Path) -> None:
    config = {"rl_optimizer": {"budget_ms": 5}, "database": {"db_path": str(tmp_path / "x.db")}}
    with pytest.raises(ConfigError, match="looks at every picture"):
        create_pipeline(config)
