"""The recipe from pictures to a checkpoint, on a few pictures, and the checkpoint that ships."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.picture_quality import APPEARANCE
from character_pipeline.models.domain import read_domain
from character_pipeline.models.load import EMBEDDED, load_encoder
from character_pipeline.sample import bundled_folder
from character_pipeline.training.beginning import begin_with
from character_pipeline.training.card import model_card
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.embedded import Settings, Trainer
from character_pipeline.training.network import PICTURE
from character_pipeline.training.recipe import Recipe, train_embedded
from character_pipeline.training.resume import load_training, save_training
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
FEW = Settings(passes=2, batch=16, answering=20, align=4)
LARGEST = 15_000_000


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {**trainer.parts.state_dict(), **{f"kept.{name}": value for name, value in trainer.kept.items()}}


def test_a_stopped_training_goes_on_as_if_never_stopped(drawn: Corpus, tmp_path: Path) -> None:
    whole = Trainer(VOCABULARY, drawn, FEW)
    whole.train()
    first = Trainer(VOCABULARY, drawn, FEW)
    first.one_pass(0)
    first.done = 1
    save_training(first, tmp_path)
    second = Trainer(VOCABULARY, drawn, FEW)
    assert load_training(second, tmp_path)
    second.train()
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(second)[name]), name


def test_a_training_begins_with_what_another_kept(drawn: Corpus, tmp_path: Path) -> None:
    first = Trainer(VOCABULARY, drawn, FEW)
    first.train()
    save_training(first, tmp_path)
    second = Trainer(VOCABULARY, drawn, replace(FEW, passes=1))
    with pytest.raises(ConfigError, match="nothing to begin with"):
        begin_with(second, tmp_path / "elsewhere")
    begin_with(second, tmp_path)
    assert second.step == 0
    for name, value in second.parts.state_dict().items():
        assert torch.equal(value, first.kept[name]), name
    second.train()
    assert not torch.equal(second.kept["heads.weight"], first.kept["heads.weight"])


def test_a_training_that_begins_with_a_model_answers_as_it_does(drawn: Corpus) -> None:
    anew, begun = (Trainer(VOCABULARY, drawn, FEW) for _ in range(2))
    recipe = begin_with(begun, Path("embedded"))
    assert recipe["settings"]["seed"] == FEW.seed
    right = {}
    for name, trainer in {"anew": anew, "begun": begun}.items():
        trainer.use_kept()
        part = next(part for part in trainer.asked if part.question.attribute == "hair_color")
        with torch.no_grad():
            pixels = torch.from_numpy(drawn.pixels).permute(0, 3, 1, 2).float() / 255
            small = torch.nn.functional.interpolate(pixels, PICTURE, mode="area")
            said = trainer.heads(trainer.features(small))[:, part.values].argmax(1).numpy()
        truth = trainer.targets.choice["hair_color"]
        known = (truth >= 0) & (truth < len(part.question.values))
        right[name] = float((said == truth)[known].mean())
    assert right["begun"] > 0.7 > right["anew"]


def test_pictures_held_out_stay_held_out_when_a_training_begins_with_another(drawn: Corpus) -> None:
    with pytest.raises(ConfigError, match="seed 0, not 1"):
        begin_with(Trainer(VOCABULARY, drawn, replace(FEW, seed=1)), Path("embedded"))


def test_another_training_is_not_taken_up(drawn: Corpus, tmp_path: Path) -> None:
    save_training(Trainer(VOCABULARY, drawn, FEW), tmp_path)
    with pytest.raises(ConfigError, match="another training"):
        load_training(Trainer(VOCABULARY, drawn, Settings(passes=3, batch=16)), tmp_path)


@pytest.fixture(scope="module")
def trained(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "model"
    recipe = Recipe((archive,), drawn=80, work=output.parent / "work", settings=FEW, tested=40)
    told: list[str] = []
    train_embedded(recipe, VOCABULARY, output, told.append)
    assert any("pass 2 of 2" in one for one in told)
    return output


def test_the_recipe_writes_a_checkpoint_that_both_backends_load_alike(trained: Path) -> None:
    pictures = [Image.open(path).convert("RGB") for path in sorted(bundled_folder().glob("*.webp"))[:4]]
    found = {}
    for backend in ("onnx", "torch"):
        settings = ClipAnalyzerConfig(model_name=str(trained), backend=backend, precision="fp32")
        encoder = load_encoder(settings)
        found[backend] = encoder.embed_pictures(pictures), encoder.embed_texts(["red hair", "no people"])
    for one, other in zip(found["onnx"], found["torch"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


def test_the_checkpoint_knows_what_its_pictures_look_like(trained: Path) -> None:
    size = load_encoder(ClipAnalyzerConfig(model_name=str(trained))).size
    domain = read_domain(trained, size, len(APPEARANCE))
    assert domain is not None
    assert domain.mean.shape == (size + len(APPEARANCE),)


def test_the_report_has_the_majority_beside_every_score(trained: Path) -> None:
    report = json.loads((trained / "training_report.json").read_text())
    assert {"held out", "drawn, seen styles", "drawn, unseen styles"} <= set(report["scores"])
    assert all("majority" in one for found in report["scores"].values() for one in found.values())


def test_the_card_names_both_trainings_where_one_began_with_the_other(
    archive: Path, trained: Path, tmp_path: Path
) -> None:
    output, told = tmp_path / "model", list[str]()
    settings = replace(FEW, passes=1, rate=0.001)
    recipe = Recipe((archive,), drawn=40, work=tmp_path / "work", begin=trained, settings=settings, tested=40)
    train_embedded(recipe, VOCABULARY, output, told.append)
    assert f"begins with the weights of {trained}" in told
    card = (output / "README.md").read_text()
    start = "    charpipe train embedded "
    first, second = (line.removeprefix(start) for line in card.splitlines() if line.startswith(start))
    numbers = "--avatars plain.tar --drawn {} --passes {} --rate {} --seed 0"
    assert first == f"--work work-1 --output model-1 {numbers.format(80, 2, 0.003)}"
    assert second == f"--work work-2 --output model-2 --begin model-1 {numbers.format(40, 1, 0.001)}"


def test_a_style_to_leave_out_must_be_there(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="plain"):
        train_embedded(Recipe((archive,), 0, tmp_path, leave_out=("plan",)), VOCABULARY, None, print)


def test_the_shipped_model_is_small_and_whole() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*") if path.is_file()) < LARGEST
    assert (EMBEDDED / "README.md").read_text().startswith("---")


def test_the_shipped_model_says_the_same_through_torch_and_onnx() -> None:
    pictures = [Image.open(path).convert("RGB") for path in sorted(bundled_folder().glob("*.webp"))[:8]]
    one, two = (
        load_encoder(ClipAnalyzerConfig(model_name="embedded", backend=backend, precision="fp32"))
        for backend in ("onnx", "torch")
    )
    np.testing.assert_allclose(one.embed_pictures(pictures), two.embed_pictures(pictures), atol=2e-3)
    np.testing.assert_allclose(one.embed_texts(["glasses"]), two.embed_texts(["glasses"]), atol=2e-3)


def test_the_card_credits_who_drew_the_styles() -> None:
    report = json.loads((EMBEDDED / "training_report.json").read_text(encoding="utf-8"))
    facts = {"vision": "1 million", "size": 96, "width": 128, "pictures": "1"}
    made, shipped = model_card(report, facts), (EMBEDDED / "README.md").read_text(encoding="utf-8")
    credit = made[made.index("Avatar art:") : made.index("None of their pictures")]
    assert credit in shipped
    assert all(style in credit for style in report["recipe"]["avatar styles"])
    assert "not credited here" not in credit
