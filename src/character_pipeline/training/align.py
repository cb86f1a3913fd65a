"""Trains the embedded model, second half: the text tower learns to say what the vision tower sees.

The vision tower stays as it is (locked-image tuning: Zhai et al., 2022), so its features are computed once. First the
projection and one free vector a prompt learn to answer as the heads did; then the text tower learns to give these
vectors for the prompts' sentences, or at least the same answers, and to match captions with their pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.training.captions import english_caption, tag_caption
from character_pipeline.training.labels import Targets
from character_pipeline.training.losses import contrast_loss, margins, prompt_loss
from character_pipeline.training.network import WIDTH, text_features

if TYPE_CHECKING:
    import torch

    from character_pipeline.training.embedded import Trainer

PASSES = 1
"""Augmented passes over the corpus whose features are learned from."""
BATCH = 256
CAPTIONED = 32
ANSWERED = 128
"""Pictures of a step whose answers must come out the same."""
CONTRAST = 0.02
RATE = 2e-3
TEXT_RATE = 3e-3


def align(trainer: Trainer) -> None:
    """Train the projection and the text tower of a model whose vision tower is trained."""
    trainer.use_kept()
    trainer.model.eval()  # type: ignore[no-untyped-call]
    features, targets, rows = _features(trainer)
    anchors = _learn_answers(trainer, features, targets)
    _learn_text(trainer, features, targets, rows, anchors)


def _features(trainer: Trainer) -> tuple[torch.Tensor, Targets, NDArray[np.int64]]:
    """Features of augmented pictures, (N, channels), with their targets and their places in the corpus."""
    import torch

    rng = np.random.default_rng([trainer.settings.seed, 1_000_000])
    found, targets, places = [], [], []
    for _ in range(PASSES):
        order = rng.permutation(len(trainer.corpus))
        for at in range(0, len(order), 128):
            rows = order[at : at + 128]
            pixels, wanted = trainer.batch(rows, rng)
            with torch.no_grad():
                found.append(trainer.features(pixels))
            targets.append(wanted)
            places.append(rows)
    return torch.cat(found), Targets.join(targets), np.concatenate(places)


def _learn_answers(trainer: Trainer, features: torch.Tensor, targets: Targets) -> torch.Tensor:
    """The projection, the scale, and the vector that stands for each prompt, (rows, WIDTH)."""
    import torch
    from torch.nn import functional

    model = trainer.model
    anchors = torch.nn.Parameter(0.06 * torch.randn(len(trainer.rows), WIDTH, generator=trainer.generator))
    learned = [anchors, model.visual_projection.weight, model.logit_scale]
    optimizer = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.0)
    rng = np.random.default_rng([trainer.settings.seed, 2_000_000])
    steps = trainer.settings.answering
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        some = rng.integers(0, len(features), BATCH)
        pictures = functional.normalize(model.visual_projection(features[some]), dim=-1)
        cosines = pictures @ functional.normalize(anchors, dim=-1).T
        loss = prompt_loss(_scale(model) * cosines, trainer.asked, targets.take(some), trainer.odds)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return functional.normalize(anchors.detach(), dim=-1)


def _scale(model: Any) -> Any:
    return model.logit_scale.exp().clamp(max=100.0)


def _learn_text(
    trainer: Trainer, features: torch.Tensor, targets: Targets, rows: NDArray[np.int64], anchors: torch.Tensor
) -> None:
    import torch
    from torch.nn import functional

    model, steps = trainer.model, trainer.settings.align
    weights = [*model.text_model.parameters(), *model.text_projection.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=TEXT_RATE, weight_decay=0.0)
    rng = np.random.default_rng([trainer.settings.seed, 3_000_000])
    with torch.no_grad():
        pictures = functional.normalize(model.visual_projection(features), dim=-1)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = TEXT_RATE * min(1.0, (step + 1) / 50) * (1 - step / steps)
        said = text_features(model, trainer.tokens(_sentences(trainer)))
        some = rng.integers(0, len(pictures), CAPTIONED)
        captions = text_features(model, trainer.tokens(_captions(trainer, rows[some], targets.take(some))))
        loss = (1 - (said * anchors).sum(-1)).mean()
        seen = _scale(model).detach() * pictures[rng.integers(0, len(pictures), ANSWERED)]
        told, wanted = (margins(seen @ to.T, trainer.asked) for to in (said, anchors))
        loss = loss + functional.smooth_l1_loss(told, wanted)
        loss = loss + CONTRAST * contrast_loss(pictures[some], captions, _scale(model).detach())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()


def _sentences(trainer: Trainer) -> list[str]:
    """One sentence for each prompt."""
    templates = trainer.book.templates(trainer.settings.prompt_set)
    return [trainer.words.choice(templates).replace("{}", trainer.words.choice(row)) for row in trainer.rows]


def _captions(trainer: Trainer, rows: NDArray[np.int64], targets: Targets) -> list[str]:
    """One caption a picture, with the colour that its hair was given."""
    values = list(trainer.book.questions["hair_color"].values)
    captions = []
    for row, colour in zip(rows, targets.choice["hair_color"], strict=True):
        line = trainer.corpus.lines[row]
        if 0 <= colour < len(values):
            line = {**line, "attributes": {**line["attributes"], "Hair Color": values[colour]}}
        write = trainer.words.choice((tag_caption, english_caption))
        captions.append(write(line, trainer.book, trainer.words))
    return captions
