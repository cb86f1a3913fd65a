"""The whole recipe of the embedded model: pictures in, a checkpoint and a report of how right it is out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.errors import ConfigError, MissingExtraError, unknown_name
from character_pipeline.models import machine
from character_pipeline.training.align import align
from character_pipeline.training.avatars import avatar_corpus
from character_pipeline.training.card import model_card
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.drawn import (
    TEST_STYLES,
    TRAINING_STYLES,
    drawn_corpus,
    test_drawing,
    training_drawing,
)
from character_pipeline.training.embedded import Settings, Trainer
from character_pipeline.training.network import PICTURE, WIDTH
from character_pipeline.training.packaging import write_checkpoint
from character_pipeline.training.resume import load_training, save_training
from character_pipeline.training.validation import as_table, score
from character_pipeline.vocabulary import Vocabulary

HELD_OUT = 0.06
"""Of the labelled pictures, and of the drawn ones: not trained on, but calibrated with."""
PEOPLE = 4
"""Pictures in a row that may show the same person; a cut between them keeps people apart."""
USUAL_FROM = 500_000
"""Where the seeds of pictures to calibrate with begin; those to test with end far before."""
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
        tested: how many pictures are drawn for each test.
    """

    archives: tuple[Path, ...]
    drawn: int
    work: Path
    leave_out: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    workers: int = 1
    tested: int = 1200


@dataclass(frozen=True)
class Split:
    """Pictures to train on, to calibrate with, and labelled ones of the styles that were left out."""

    train: Corpus
    held_out: Corpus
    left_out: Corpus | None


def train_embedded(recipe: Recipe, vocabulary: Vocabulary, output: Path | None, say: Say) -> dict[str, Any]:
    """Train, measure, and write the checkpoint to `output` (None: only measure). Returns the report.

    Raises MissingExtraError without torch, the exporter or the drawer; ConfigError on pictures that cannot be read.
    """
    _need_packages()
    split = gather(recipe, say)
    trainer = Trainer(vocabulary, split.train, recipe.settings)
    if load_training(trainer, recipe.work):
        say(f"goes on after {trainer.done} passes, from {recipe.work}")

    def after(done: int, loss: float) -> None:
        save_training(trainer, recipe.work)
        say(f"pass {done} of {recipe.settings.passes}: loss {loss:.3f}")

    say(f"{len(split.train):,} pictures to train on, {len(split.held_out):,} held out")
    trainer.train(after)
    align(trainer)
    report = {"recipe": _words(recipe), "scores": _scores(trainer, split, recipe)}
    if output is not None:
        calibrated = write_checkpoint(trainer, split.held_out, output, {"recipe": report["recipe"]})
        report["calibration"] = {one.attribute: {"recalls": one.recalls, **one.to_manifest()} for one in calibrated}
        _write_report(report, trainer, output)
    return report


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


def gather(recipe: Recipe, say: Say, training: bool = True) -> Split:
    """All pictures, cut by style, and by person where people are known.

    Args:
        training: also draw the pictures to train on; it takes long.
    """
    train, held_out, left_out = [], [], []
    for style in [avatar_corpus([path]) for path in recipe.archives]:
        say(f"{len(style):,} labelled pictures of the style {style.lines[0]['style']}")
        if style.lines[0]["style"] in recipe.leave_out:
            left_out.append(style)
            continue
        order = np.random.default_rng(recipe.settings.seed).permutation(len(style))
        cut = int(HELD_OUT * len(style))
        held_out.append(style.take(order[:cut]))
        train.append(style.take(order[cut:]))
    _check(recipe.leave_out, [path.stem for path in recipe.archives])
    if recipe.drawn:
        cut = recipe.drawn - int(HELD_OUT * recipe.drawn) // PEOPLE * PEOPLE
        cut = cut // PEOPLE * PEOPLE
        first = 0 if training else cut
        drawn = drawn_corpus(range(first, recipe.drawn), training_drawing, recipe.workers)
        say(f"{len(drawn):,} pictures drawn")
        train.append(drawn.take(np.arange(cut - first)))
        held_out += [drawn.take(np.arange(cut - first, len(drawn))), _usual(recipe)]
    return Split(Corpus.join(train), Corpus.join(held_out), Corpus.join(left_out) if left_out else None)


def _usual(recipe: Recipe) -> Corpus:
    """Drawn pictures as people have them, whole figures and all; training pictures are drawn closer."""
    indices = range(USUAL_FROM, USUAL_FROM + max(PEOPLE, int(HELD_OUT * recipe.drawn)))
    usual = drawn_corpus(indices, partial(test_drawing, styles=TRAINING_STYLES), recipe.workers)
    return replace(usual, lines=[{**line, "group": "drawn as usual"} for line in usual.lines])


def _check(leave_out: Sequence[str], styles: Sequence[str]) -> None:
    for name in leave_out:
        if name not in styles:
            raise ConfigError(unknown_name("style", name, styles))


def _scores(trainer: Trainer, split: Split, recipe: Recipe) -> dict[str, Any]:
    found = {"held out": as_table(score(trainer, split.held_out))}
    for style in sorted({line["style"] for line in split.left_out.lines}) if split.left_out else ():
        assert split.left_out is not None
        rows = [place for place, line in enumerate(split.left_out.lines) if line["style"] == style]
        found[f"left out: {style}"] = as_table(score(trainer, split.left_out.take(rows)))
    for name, styles in (("drawn, seen styles", TRAINING_STYLES), ("drawn, unseen styles", TEST_STYLES)):
        drawn = drawn_corpus(range(recipe.tested), partial(test_drawing, styles=styles), recipe.workers)
        found[name] = as_table(score(trainer, drawn))
    return found


def _words(recipe: Recipe) -> dict[str, Any]:
    return {
        "avatar styles": [path.stem for path in recipe.archives if path.stem not in recipe.leave_out],
        "left out": list(recipe.leave_out),
        "drawn": recipe.drawn,
        "settings": asdict(recipe.settings),
    }
