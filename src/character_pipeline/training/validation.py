"""How right a trained model is on labelled pictures, by attribute, beside always saying the most frequent value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.evaluation.metrics import Interval, balanced_accuracy, majority_accuracy, wilson
from character_pipeline.models.preprocess import Preprocessing
from character_pipeline.training.corpus import Corpus
from character_pipeline.training.labels import make_targets
from character_pipeline.training.network import MEAN, PICTURE, STD, picture_features, text_features

if TYPE_CHECKING:
    from character_pipeline.training.embedded import Trainer
    from character_pipeline.training.losses import Asked

Scores = NDArray[np.float64]
FEWEST = 30
FEWEST_CASES = 15
AS_SHIPPED = Preprocessing("pad", PICTURE, PICTURE, resample=2, mean=MEAN, std=STD)
"""The preprocessing of the package, so that what is measured is what is used."""


@dataclass(frozen=True, slots=True)
class Score:
    """How right the model was about one thing on one set of pictures.

    `kind` is "accuracy" among the values of a choice, or "balanced accuracy" of there or not there.
    """

    what: str
    kind: str
    right: float
    interval: Interval
    majority: float
    pictures: int


def prompt_embeddings(trainer: Trainer) -> Scores:
    """For each row of sentences the mean embedding of all its sentences, of length 1."""
    import torch

    with torch.no_grad():
        rows = [
            text_features(trainer.model, trainer.tokens(trainer.book.sentences(row, trainer.settings.prompt_set)))
            for row in trainer.rows
        ]
    means = np.stack([row.mean(0).double().numpy() for row in rows])
    found: Scores = means / np.linalg.norm(means, axis=1, keepdims=True)
    return found


def embed(trainer: Trainer, corpus: Corpus) -> Scores:
    """The embeddings of pictures, (N, WIDTH)."""
    import torch
    from PIL import Image

    found = []
    with torch.no_grad():
        for at in range(0, len(corpus), 128):
            pictures = [Image.fromarray(pixels) for pixels in corpus.pixels[at : at + 128]]
            found.append(picture_features(trainer.model, torch.from_numpy(AS_SHIPPED(pictures))).double().numpy())
    return np.concatenate(found)


def similarity(trainer: Trainer, embeddings: Scores) -> Scores:
    """Scaled cosines of pictures and prompts, (N, rows)."""
    scale = float(trainer.model.logit_scale.detach().exp().clamp(max=100.0))
    found: Scores = scale * embeddings @ prompt_embeddings(trainer).T
    return found


def score(trainer: Trainer, corpus: Corpus) -> list[Score]:
    """Scores of all that is labelled often enough. The model must hold the weights to be judged."""
    found = similarity(trainer, embed(trainer, corpus))
    targets = make_targets(trainer.vocabulary, trainer.book, corpus.lines)
    scores: list[Score] = []
    for part in trainer.asked:
        key = part.question.attribute
        if part.question.ask == "choice":
            scores += _choice(key, found, part, targets.choice[key])
        else:
            scores += _each(found, part, targets.each[key])
            scores += _some(key, found, part, targets.some[key])
    return scores


def _choice(key: str, found: Scores, part: Asked, wanted: NDArray[np.int64]) -> list[Score]:
    rows = (wanted >= 0) & (wanted < len(part.question.values))
    if rows.sum() < FEWEST:
        return []
    said = found[rows][:, part.values].argmax(axis=1)
    hits = int((said == wanted[rows]).sum())
    count = int(rows.sum())
    return [Score(key, "accuracy", hits / count, wilson(hits, count), majority_accuracy(wanted[rows]), count)]


def _each(found: Scores, part: Asked, wanted: NDArray[np.int64]) -> list[Score]:
    margins = found[:, part.values] - found[:, part.others]
    scores = [
        _there(f"{part.question.attribute}: {name}", margins[:, place] > 0, wanted[:, place])
        for place, name in enumerate(part.question.values)
    ]
    return [one for one in scores if one is not None]


def _some(key: str, found: Scores, part: Asked, wanted: NDArray[np.int64]) -> list[Score]:
    margins = found[:, part.values] - found[:, part.others]
    one = _there(f"{key}: any", margins.max(axis=1) > 0, wanted)
    return [one] if one is not None else []


def _there(what: str, said: NDArray[np.bool_], wanted: NDArray[np.int64]) -> Score | None:
    rows = wanted >= 0
    true, answers = wanted[rows], said[rows].astype(np.int64)
    if min((true == 1).sum(), (true == 0).sum()) < FEWEST_CASES:
        return None
    right = balanced_accuracy(true, answers, 2)
    shares = [wilson(int((answers[true == one] == one).sum()), int((true == one).sum())) for one in (0, 1)]
    interval = (shares[0][0] + shares[1][0]) / 2, (shares[0][1] + shares[1][1]) / 2
    return Score(what, "balanced accuracy", right, interval, 0.5, len(true))


def as_table(scores: Sequence[Score]) -> dict[str, Any]:
    """For a report in JSON."""
    return {one.what: {key: _short(value) for key, value in asdict(one).items() if key != "what"} for one in scores}


def _short(value: Any) -> Any:
    if isinstance(value, tuple):
        return [round(float(part), 3) for part in value]
    return round(value, 3) if isinstance(value, float) else value
