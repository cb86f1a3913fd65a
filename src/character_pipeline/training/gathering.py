"""All pictures of a training, and how they are cut: by style, and by person where people are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.training.avatars import avatar_pairs
from character_pipeline.training.corpus import Corpus, Pairs
from character_pipeline.training.drawn import TRAINING_STYLES, drawn_pairs, test_drawing, training_drawing
from character_pipeline.training.wear import dress

HELD_OUT = 0.06
"""Of the labelled pictures: not trained on, but calibrated with; and so many in relation to the drawn ones."""
FEWEST_KEPT = 4
KEPT_FROM = 400_000_000
USUAL_FROM = 500_000
"""Where the numbers of the drawn pictures to calibrate with begin, as training draws them, and as people have them:
far from those that are trained on or tested with, however many these are."""


@dataclass(frozen=True)
class Split:
    """Views to train on, some of the heads dressed; pictures to calibrate with; labelled ones of styles left out."""

    train: Corpus
    held_out: Pairs
    left_out: Mapping[str, Pairs]


@dataclass(frozen=True)
class Gathered:
    """Labelled pictures by style, drawn ones to train on, and drawn ones to calibrate with."""

    styles: Mapping[str, Pairs]
    drawn: Sequence[Pairs]
    kept: Sequence[Pairs]

    def split(self, leave_out: Sequence[str], seed: int) -> Split:
        """Cut by style, and each style that is trained on by chance."""
        train: list[Pairs] = []
        held_out: list[Pairs] = []
        for style, pairs in self.styles.items():
            if style not in leave_out:
                order = np.random.default_rng(seed).permutation(len(pairs))
                cut = int(HELD_OUT * len(pairs))
                held_out.append(pairs.take(order[:cut]))
                train.append(pairs.take(order[cut:]))
        left_out = {style: self.styles[style] for style in leave_out}
        whole = Pairs.join([*train, *self.drawn])
        dressed = replace(whole, head=dress(whole.head, seed))
        return Split(dressed.views(), Pairs.join([*held_out, *self.kept]), left_out)


def gather(
    archives: Sequence[Path], drawn: int, workers: int, say: Callable[[str], None], training: bool = True
) -> Gathered:
    """Read the archives, each a style, and draw so many pictures. Raises ConfigError on what cannot be read.

    Args:
        training: also draw the pictures to train on, which takes long.
    """
    from loky import get_reusable_executor

    styles = {}
    for path, pairs in zip(archives, get_reusable_executor(workers).map(avatar_pairs, archives), strict=True):
        styles[path.stem] = pairs
        say(f"{len(pairs):,} labelled pictures of the style {path.stem}")
    if not drawn:
        return Gathered(styles, (), ())
    count = max(FEWEST_KEPT, int(HELD_OUT * drawn))
    train = [drawn_pairs(range(drawn), training_drawing, workers)] if training else []
    kept = drawn_pairs(range(KEPT_FROM, KEPT_FROM + count), training_drawing, workers, found=True)
    say(f"{drawn:,} pictures drawn")
    return Gathered(styles, train, (kept, _usual(count, workers)))


def _usual(count: int, workers: int) -> Pairs:
    """Drawn pictures as people have them, whole figures and all; training pictures are drawn closer."""
    indices = range(USUAL_FROM, USUAL_FROM + count)
    usual = drawn_pairs(indices, partial(test_drawing, styles=TRAINING_STYLES), workers, found=True)
    lines = [{**line, "group": "drawn as usual"} for line in usual.whole.lines]
    return replace(usual, whole=replace(usual.whole, lines=lines))


def check_styles(leave_out: Sequence[str], archives: Sequence[Path]) -> None:
    """Raise ConfigError where a style to leave out is not among the archives."""
    styles = [path.stem for path in archives]
    for name in leave_out:
        if name not in styles:
            raise ConfigError(unknown_name("style", name, styles))
