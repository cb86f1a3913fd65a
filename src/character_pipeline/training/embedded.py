"""Trains the embedded model, first half: the vision tower learns the classes that the prompts speak of.

Each prompt has a row of a linear head, which learns much faster from scratch than cosines of two towers do. The second
half, in `align`, teaches the text tower to say what the rows mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.training.augment import HAIR, HAIR_RANGES, distort, recolour
from character_pipeline.training.captions import english_caption
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.labels import Targets, make_targets
from character_pipeline.training.losses import lay_out, log_odds, prompt_loss
from character_pipeline.training.network import (
    MEAN,
    PICTURE,
    STD,
    VISION,
    make_network,
    make_tokenizer,
)
from character_pipeline.training.optimizer import fast_products, make_optimizers
from character_pipeline.vocabulary import Vocabulary
from character_pipeline.vocabulary.prompts import PromptBook, load_prompts

if TYPE_CHECKING:
    import torch

log = logging.getLogger("character_pipeline")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        passes: over the corpus.
        rate: the highest learning rate, see `optimizer`.
        average: the decay of the moving average of the weights, which is what is kept.
        relabel: how often hair gets another colour.
        answering: steps of the second half for the projection, and `align` for the text tower.
    """

    passes: int = 10
    batch: int = 128
    rate: float = 3e-3
    average: float = 0.998
    relabel: float = 0.35
    answering: int = 2000
    align: int = 900
    seed: int = 0
    prompt_set: str = "drawn"


class Trainer:
    """One training, from a corpus to weights. The same corpus, settings and machine give the same weights."""

    def __init__(self, vocabulary: Vocabulary, corpus: Corpus, settings: Settings) -> None:
        import torch

        torch.manual_seed(settings.seed)
        self.settings, self.corpus, self.vocabulary = settings, corpus, vocabulary
        self.book: PromptBook = load_prompts(vocabulary)
        self.targets = make_targets(vocabulary, self.book, corpus.lines)
        self.asked, self.rows = lay_out(self.book)
        self.odds = log_odds(self.targets, self.book)
        self.words = Random(settings.seed)
        self.tokenizer = make_tokenizer(self._texts())
        self.model = make_network(len(self.tokenizer))
        self.heads = torch.nn.Linear(VISION["hidden_sizes"][-1], len(self.rows))
        self.kept = {name: value.clone() for name, value in self.parts.state_dict().items()}
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.optimizer = make_optimizers(self.parts, settings.rate)
        self.step = 0
        self.done = 0

    @property
    def parts(self) -> torch.nn.ModuleDict:
        """What is trained here."""
        import torch

        return torch.nn.ModuleDict({"vision": self.model.vision_model, "heads": self.heads})

    @property
    def steps(self) -> int:
        return self.settings.passes * (len(self.corpus) // self.settings.batch)

    def _texts(self) -> list[str]:
        sentences = [s for row in self.rows for name in self.book.sets for s in self.book.sentences(row, name)]
        lines = self.corpus.lines[:: max(1, len(self.corpus) // 4000)]
        return sentences + [english_caption(line, self.book, self.words) for line in lines]

    def train(self, report: Callable[[int, float], None] | None = None) -> None:
        """All passes that are left."""
        for number in range(self.done, self.settings.passes):
            loss = self.one_pass(number)
            self.done = number + 1
            if report is not None:
                report(self.done, loss)

    def one_pass(self, number: int) -> float:
        """One pass over the corpus in an order of its own; returns the mean loss."""
        rng = np.random.default_rng([self.settings.seed, number])
        order = rng.permutation(len(self.corpus))
        size = self.settings.batch
        self.model.train()
        losses = [self._learn(order[at : at + size], rng) for at in range(0, len(order) - size + 1, size)]
        return float(np.mean(losses))

    def _learn(self, rows: NDArray[np.int64], rng: np.random.Generator) -> float:
        pixels, targets = self.batch(rows, rng)
        with fast_products():
            loss = self._loss(pixels, targets)
        self.optimizer.step(loss, self.step / self.steps)
        self.step += 1
        self._keep()
        return float(loss.detach())

    def _keep(self) -> None:
        import torch

        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.parts.state_dict().items():
                if value.dtype.is_floating_point:
                    self.kept[name].lerp_(value, 1 - decay)

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[torch.Tensor, Targets]:
        import torch

        targets = self.targets.take(rows)
        pixels = self.corpus.pixels[rows]
        colours = list(self.book.questions["hair_color"].values)
        for place, row in enumerate(rows):
            mask = self.corpus.regions[row]
            if not mask.any():
                continue
            hair = None
            if rng.random() < self.settings.relabel and (mask == HAIR).any():
                hair = list(HAIR_RANGES)[rng.integers(len(HAIR_RANGES))]
                targets.choice["hair_color"][place] = colours.index(hair)
            pixels[place] = recolour(pixels[place], mask, hair, rng)
        ready = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)
        return distort(ready, PICTURE, self.generator), targets

    def _loss(self, pixels: torch.Tensor, targets: Targets) -> torch.Tensor:
        return prompt_loss(self.heads(self.features(pixels)), self.asked, targets, self.odds)

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """What the vision tower makes of pictures (N, 3, S, S) in 0..1, before the projection."""
        import torch

        ready = normal(pixels).contiguous(memory_format=torch.channels_last)
        found: torch.Tensor = self.model.vision_model(pixel_values=ready).pooler_output
        return found

    def use_kept(self) -> None:
        """Put the averaged weights, which are what is kept, into the model."""
        self.parts.load_state_dict(self.kept)
        self.model.eval()  # type: ignore[no-untyped-call]

    def tokens(self, texts: list[str]) -> Any:
        """Sentences as the text tower takes them."""
        return self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")


def normal(pixels: torch.Tensor) -> torch.Tensor:
    """Pictures (N, 3, S, S) in 0..1 as the network wants them."""
    import torch

    return (pixels - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
