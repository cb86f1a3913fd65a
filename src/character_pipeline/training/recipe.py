"""The whole recipe of the embedded model: pictures in, a checkpoint and a report of how right it is out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from character_pipeline.errors import MissingExtraError
from character_pipeline.models import machine
from character_pipeline.training.align import align
from character_pipeline.training.beginning import begin_with
from character_pipeline.training.calibration import Calibrated, calibrate_cautiously
from character_pipeline.training.card import model_card
from character_pipeline.training.corpus import Pairs
from character_pipeline.training.drawn import (
    TEST_STYLES,
    TRAINING_STYLES,
    drawn_pairs,
    test_drawing,
)
from character_pipeline.training.embedded import Settings, Trainer
from character_pipeline.training.gathering import Split, check_styles, gather
from character_pipeline.training.network import PICTURE, WIDTH
from character_pipeline.training.packaging import write_checkpoint
from character_pipeline.training.resume import load_training, save_training
from character_pipeline.training.validation import Looks, as_table, choose_looks, looked, score, similarity, targets_of
from character_pipeline.vocabulary import Vocabulary

NEEDED = {"torch": "train", "transformers": "train", "scipy": "train", "onnxscript": "train", "resvg_py": "sample"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Recipe:
    """What to train on.

    Attributes:
        archives: labelled avatar sets, see `avatars`; each is a style.
        drawn: how many pictures to draw.
        leave_out: styles among the archives that are only tested on.
        work: the folder of the training's state; begun there before, it goes on.
        begin: what a new training begins with, see `begin_with`; None: from scratch.
        tested: how many pictures are drawn for each test.
    """

    archives: tuple[Path, ...]
    drawn: int
    work: Path
    begin: Path | None = None
    leave_out: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    workers: int = 1
    tested: int = 1200


def train_embedded(recipe: Recipe, vocabulary: Vocabulary, output: Path | None, say: Say) -> dict[str, Any]:
    """Train, measure, and write the checkpoint to `output` (None: only measure). Returns the report.

    Raises MissingExtraError without torch, the exporter or the drawer; ConfigError on pictures that cannot be read.
    """
    _need_packages()
    check_styles(recipe.leave_out, recipe.archives)
    split = gather(recipe.archives, recipe.drawn, recipe.workers, say).split(recipe.leave_out, recipe.settings.seed)
    trainer = Trainer(vocabulary, split.train, recipe.settings)
    before = begin_with(trainer, recipe.begin) if recipe.begin is not None else None
    if load_training(trainer, recipe.work):
        say(f"goes on after {trainer.done} passes, from {recipe.work}")
    elif recipe.begin is not None:
        say(f"begins with the weights of {recipe.begin}")

    def after(done: int, loss: float) -> None:
        save_training(trainer, recipe.work)
        say(f"pass {done} of {recipe.settings.passes}: loss {loss:.3f}")

    say(f"{len(split.train):,} pictures to train on, {len(split.held_out):,} held out")
    trainer.train(after)
    looks, calibrated = finish(trainer, split.held_out)
    report = {"recipe": _words(recipe, before), "scores": _scores(trainer, split, recipe, looks, calibrated)}
    if output is not None:
        write_checkpoint(trainer, split.held_out, calibrated, output, {"recipe": report["recipe"]})
        report["calibration"] = {one.attribute: {"recalls": one.recalls, **one.to_manifest()} for one in calibrated}
        _write_report(report, trainer, output)
    return report


def finish(trainer: Trainer, held_out: Pairs) -> tuple[Looks, list[Calibrated]]:
    """Align the towers; choose how each attribute is looked at, and make its chances come true."""
    align(trainer)
    found, targets = similarity(trainer, held_out), targets_of(trainer, held_out)
    looks = choose_looks(found, trainer.asked, targets)
    groups = [line.get("group", "avatars" if "labelled" in line else "drawn") for line in held_out.whole.lines]
    calibrated = calibrate_cautiously(looked(found, trainer.asked, looks), trainer.asked, targets, groups)
    return looks, [replace(one, look=looks[one.attribute]) for one in calibrated]


def _need_packages() -> None:
    for package, extra in NEEDED.items():
        if not machine.has_package(package):
            raise MissingExtraError("charpipe train embedded", extra)


def _write_report(report: dict[str, Any], trainer: Trainer, output: Path) -> None:
    parameters = sum(weights.numel() for weights in trainer.model.vision_model.parameters())
    facts = {"vision": f"{parameters / 1e6:.1f} million", "size": PICTURE, "width": WIDTH}
    card = model_card(report, {**facts, "pictures": f"{len(trainer.corpus):,}"})
    (output / "training_report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (output / "README.md").write_text(card, encoding="utf-8")


def _scores(
    trainer: Trainer, split: Split, recipe: Recipe, looks: Looks, calibrated: list[Calibrated]
) -> dict[str, Any]:
    tested = {"held out": split.held_out}
    tested |= {f"left out: {style}": pairs for style, pairs in split.left_out.items()}
    for name, styles in (("drawn, seen styles", TRAINING_STYLES), ("drawn, unseen styles", TEST_STYLES)):
        make = partial(test_drawing, styles=styles)
        tested[name] = drawn_pairs(range(recipe.tested), make, recipe.workers, found=True)
    return {name: as_table(score(trainer, pairs, looks, calibrated)) for name, pairs in tested.items()}


def _words(recipe: Recipe, before: dict[str, Any] | None) -> dict[str, Any]:
    begun = {} if before is None else {"begun with": before}
    return begun | {
        "avatar styles": [path.stem for path in recipe.archives if path.stem not in recipe.leave_out],
        "left out": list(recipe.leave_out),
        "drawn": recipe.drawn,
        "settings": asdict(recipe.settings),
    }
