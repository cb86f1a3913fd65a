"""Trains the head finder: a very small network that says where the one head of a picture is.

It answers with a map of where the head may be; its middle is the mean place under that map (soft-argmax: Nibali et al.,
2018, "Numerical coordinate regression with convolutional neural networks"), so that it is finer than the map's cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.extractors.head_finder import SIDE
from character_pipeline.models.export import quiet
from character_pipeline.training.augment import redraw, shade, spread
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.drawn import (
    TEST_STYLES,
    TRAINING_STYLES,
    drawn_pairs,
    test_drawing,
    training_drawing,
)
from character_pipeline.training.optimizer import fast_products, make_optimizers

if TYPE_CHECKING:
    import torch

WIDTHS = (16, 32)
DILATIONS = (1, 2, 4, 8, 1)
BATCH = 128
TESTED = 1200
Say = Callable[[str], None]
RATE = 4e-3
PRESENT, PLACE, SIZE = 0.3, 1.0, 1.0
"""How the parts of the loss weigh."""


def make_finder(seed: int) -> torch.nn.Module:
    """An untrained finder: pictures (N, 3, SIDE, SIDE) in 0..1 to (N, 4), x, y, side and the logit of "one head"."""
    import torch

    torch.manual_seed(seed)
    finder: torch.nn.Module = _module()()
    return finder


def _module() -> Any:
    import torch
    from torch import nn

    def block(before: int, after: int, stride: int = 1, dilation: int = 1) -> Any:
        conv = nn.Conv2d(before, after, 3, stride, dilation, dilation=dilation, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())

    class Finder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(block(3, WIDTHS[0], 2), block(WIDTHS[0], WIDTHS[1], 2))
            self.body = nn.Sequential(*(block(WIDTHS[1], WIDTHS[1], 1, dilation) for dilation in DILATIONS))
            self.maps = nn.Conv2d(WIDTHS[1], 2, 1)
            self.present = nn.Linear(WIDTHS[1], 1)
            place = (torch.arange(SIDE // 4) + 0.5) / (SIDE // 4)
            self.register_buffer("place", place)

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            found = self.body(self.stem(pixels - 0.5))
            where, size = self.maps(found).float().unbind(1)
            chance = where.flatten(1).softmax(1).view_as(where)
            x, y = (chance.sum(1) * self.place).sum(1), (chance.sum(2) * self.place).sum(1)
            side = (chance * size).sum((1, 2)).exp()
            seen = (chance.unsqueeze(1) * found).sum((2, 3))
            return torch.stack([x, y, side, self.present(seen.float()).squeeze(1)], dim=1)

    return Finder


def make_head_finder(drawn: int, passes: int, seed: int, workers: int, output: Path, say: Say) -> dict[str, Nearness]:
    """Draw, train, write the finder to `output`. Returns how near it comes, by kind of style."""
    corpus = drawn_pairs(range(drawn), training_drawing, workers).whole
    say(f"{len(corpus):,} pictures drawn")
    finder = train_finder(corpus, passes, seed, lambda done, loss: say(f"pass {done} of {passes}: loss {loss:.3f}"))
    write_finder(finder, output)
    tests = {"styles trained on": TRAINING_STYLES, "styles never seen": TEST_STYLES}
    return {
        name: nearness(finder, drawn_pairs(range(TESTED), partial(test_drawing, styles=styles), workers).whole)
        for name, styles in tests.items()
    }


@dataclass(frozen=True, slots=True)
class Nearness:
    """How well heads are found. Distances and sizes are in relation to the true side: medians and 95th percentiles.

    Attributes:
        found: the share of the heads that are found; `invented`: of the pictures without one head, those with one.
    """

    off: tuple[float, float]
    size: tuple[float, float]
    found: float
    invented: float


def nearness(finder: torch.nn.Module, corpus: Corpus) -> Nearness:
    """How near a finder comes on whole pictures whose heads are known."""
    import torch
    from torch.nn import functional

    with torch.no_grad():
        pixels = torch.from_numpy(corpus.pixels).permute(0, 3, 1, 2).float().div_(255)
        answers = finder(functional.interpolate(pixels, SIDE, mode="area")).numpy()
    squares = _squares(corpus)
    there, told = squares[:, 3] > 0, answers[:, 3] > 0
    off = np.linalg.norm(answers[there, :2] - squares[there, :2], axis=1) / squares[there, 2]
    size = np.abs(np.log(answers[there, 2] / squares[there, 2]))
    return Nearness(_two(off), _two(size), float(told[there].mean()), float(told[~there].mean()))


def _two(numbers: NDArray[np.float32]) -> tuple[float, float]:
    return float(np.median(numbers)), float(np.quantile(numbers, 0.95))


def print_nearness(found: dict[str, Nearness]) -> str:
    """A table."""
    rows = ["| | off, median (95 %) | size, median (95 %) | found | invented |", "|---|---|---|---|---|"]
    for name, one in found.items():
        off, size = (f"{two[0]:.3f} ({two[1]:.3f})" for two in (one.off, one.size))
        rows.append(f"| {name} | {off} | {size} | {one.found:.3f} | {one.invented:.3f} |")
    return "\n".join(rows)


def train_finder(corpus: Corpus, passes: int, seed: int, report: Callable[[int, float], None]) -> torch.nn.Module:
    """A trained finder. `corpus` has whole pictures whose lines say the "square" of the head, or None."""
    import torch

    finder = make_finder(seed)
    squares = _squares(corpus)
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    steps = passes * (len(corpus) // BATCH)
    optimizer = make_optimizers(finder, RATE)
    finder.train()
    for number in range(passes):
        losses = []
        order = rng.permutation(len(corpus))
        for at in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[at : at + BATCH]
            pixels, wanted = _batch(corpus, squares, rows, generator)
            with fast_products():
                loss = _loss(finder(pixels), wanted)
            optimizer.step(loss, (number * (len(corpus) // BATCH) + at // BATCH) / steps)
            losses.append(float(loss.detach()))
        report(number + 1, float(np.mean(losses)))
    return finder.eval()


def _squares(corpus: Corpus) -> NDArray[np.float32]:
    """(N, 4): x, y, side, and whether there is one."""
    return np.array([[*(line["square"] or (0, 0, 0)), bool(line["square"])] for line in corpus.lines], np.float32)


def _batch(
    corpus: Corpus, squares: NDArray[np.float32], rows: NDArray[np.int64], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    pixels = torch.from_numpy(corpus.pixels[rows]).permute(0, 3, 1, 2).float().div_(255)
    pixels, moved = spread(pixels, torch.from_numpy(squares[rows]), SIDE, generator)
    return redraw(shade(pixels, generator), generator).clamp(0, 1), moved


def _loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    there = wanted[:, 3]
    count = there.sum().clamp_min(1.0)
    off = (found[:, :2] - wanted[:, :2]).abs().sum(1) / wanted[:, 2].clamp_min(0.05)
    size = (found[:, 2].clamp_min(1e-3).log() - wanted[:, 2].clamp_min(0.02).log()).abs()
    present = functional.binary_cross_entropy_with_logits(found[:, 3], there)
    return PRESENT * present + ((PLACE * off.clamp(max=3.0) + SIZE * size) * there).sum() / count


def write_finder(finder: torch.nn.Module, path: Path) -> None:
    """The finder as an ONNX file, as `extractors.head_finder` reads it."""
    import torch

    pictures = torch.zeros(2, 3, SIDE, SIDE)
    shapes = ({0: torch.export.Dim("pictures")},)
    names: dict[str, Any] = {"input_names": ["pixels"], "output_names": ["found"]}
    with quiet():
        torch.onnx.export(
            finder, (pictures,), str(path), dynamic_shapes=shapes, external_data=False, verbose=False, **names
        )
