"""Which extractors there are by default, and that they cost nothing before the first picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from character_pipeline.config import ClipAnalyzerConfig, PictureAnalyzersConfig, PipelineConfig
from character_pipeline.extractors import default_extractors, find_model
from character_pipeline.models import load
from character_pipeline.processing import Stages
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
PICTURES = ["clip_analyzer", "color_analyzer", "picture_quality", "picture_hash"]


def config(clip: bool = True, colors: bool = True, quality: bool = True) -> PipelineConfig:
    return PipelineConfig(
        clip_analyzer=ClipAnalyzerConfig(enabled=clip, model_name="embedded", device="cpu"),
        picture_analyzers=PictureAnalyzersConfig(colors=colors, quality=quality),
    )


@pytest.mark.parametrize("chosen", [(1, 1, 1), (0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 0, 0)])
def test_each_can_be_left_out(chosen: tuple[int, int, int]) -> None:
    names = [stage.name for stage in default_extractors(VOCABULARY, config(*map(bool, chosen)))]
    assert names[:2] == ["tag_parser", "text_parser"]
    # Whoever looks at pictures wants to know where there is nothing to see.
    wanted = (*chosen[:2], any(chosen), any(chosen))
    assert names[2:] == [name for name, asked in zip(PICTURES, wanted, strict=True) if asked]


def test_pictures_need_not_be_hashed() -> None:
    chosen = config().model_copy(update={"picture_analyzers": PictureAnalyzersConfig(hash=False)})
    assert [stage.name for stage in default_extractors(VOCABULARY, chosen)][2:] == PICTURES[:3]


def test_no_whole_picture_is_kept_for_any_of_them() -> None:
    stages = Stages(config(), VOCABULARY, default_extractors(VOCABULARY, config()))
    assert stages.lookers == set(PICTURES)
    assert not stages.image_stages
    assert all(hasattr(reader, "prepare") for reader in stages.readers.values())
    assert all(hasattr(reader, "describe") for reader in stages.readers.values())


def test_a_model_that_was_found_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = find_model(config())
    assert plan is not None
    monkeypatch.setattr(load, "resolve", lambda *_: pytest.fail("it is known"))
    monkeypatch.setattr("character_pipeline.extractors.clip_analyzer.resolve", load.resolve)
    (stage,) = [s for s in default_extractors(VOCABULARY, config(), plan) if s.name == "clip_analyzer"]
    assert stage.version
    assert find_model(config(clip=False)) is None


def test_a_model_of_your_own_is_named_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").symlink_to(load.EMBEDDED)
    chosen = PipelineConfig(clip_analyzer=ClipAnalyzerConfig(model_name=str(tmp_path / "mine"), device="cpu"))
    plan = find_model(chosen)
    assert plan is not None
    assert (plan.checkpoint.name, plan.note) == ("mine", "")
