"""How right a trained model is on labelled pictures, by attribute, beside always saying the most frequent value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from character_pipeline.evaluation.metrics import Interval, balanced_accuracy, majority_accuracy, wilson
from character_pipeline.models.preprocess import Preprocessing
from character_pipeline.training.calibration import Calibrated
from character_pipeline.training.corpus import HEAD, Corpus, Pairs
from character_pipeline.training.labels import Targets, make_targets
from character_pipeline.training.network import MEAN, PICTURE, STD, picture_features, text_features

if TYPE_CHECKING:
    from character_pipeline.training.embedded import Trainer
    from character_pipeline.training.losses import Asked

Scores = NDArray[np.float64]
Look = tuple[str, ...]
Looks = Mapping[str, Look]
WHOLE = "whole"
LOOKS: tuple[Look, ...] = ((WHOLE,), (HEAD,), (WHOLE, HEAD))
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


def similarity(trainer: Trainer, pairs: Pairs) -> dict[str, Scores]:
    """Scaled cosines of pictures and prompts, (N, rows), by view."""
    scale = float(trainer.model.logit_scale.detach().exp().clamp(max=100.0))
    answers = prompt_embeddings(trainer).T
    parts = {WHOLE: pairs.whole, HEAD: pairs.head}
    return {view: scale * embed(trainer, corpus) @ answers for view, corpus in parts.items()}


def targets_of(trainer: Trainer, pairs: Pairs) -> Targets:
    """What is true of the pictures, however small it shows in the whole."""
    lines = [{key: value for key, value in line.items() if key != "square"} for line in pairs.whole.lines]
    return make_targets(trainer.vocabulary, trainer.book, lines)


def choose_looks(found: Mapping[str, Scores], asked: Sequence[Asked], targets: Targets) -> Looks:
    """For each attribute the view, or the mean of both, whose answers are most often right on these pictures."""
    return {
        part.question.attribute: max(LOOKS, key=lambda look: _rightness(mixed(found, look), part, targets))
        for part in asked
    }


def mixed(found: Mapping[str, Scores], look: Look) -> Scores:
    """The mean over the views of a look."""
    mean: Scores = np.mean([found[view] for view in look], axis=0)
    return mean


def looked(found: Mapping[str, Scores], asked: Sequence[Asked], looks: Looks) -> Scores:
    """(N, rows), each question as its look sees it."""
    out = found[WHOLE].copy()
    for part in asked:
        seen = mixed(found, looks[part.question.attribute])
        for rows in (part.values, part.others):
            out[:, rows] = seen[:, rows]
    return out


def _rightness(found: Scores, part: Asked, targets: Targets) -> float:
    """The mean over all that is labelled often enough; ties go to what comes first."""
    return float(np.mean([one.right for one in score_question(found, part, targets)] or [0.0]))


def score(trainer: Trainer, pairs: Pairs, looks: Looks, calibrated: Sequence[Calibrated]) -> list[Score]:
    """Scores of all that is labelled often enough. The model must hold the weights to be judged."""
    found = weighed(looked(similarity(trainer, pairs), trainer.asked, looks), trainer.asked, calibrated)
    targets = targets_of(trainer, pairs)
    return [one for part in trainer.asked for one in score_question(found, part, targets)]


def weighed(found: Scores, asked: Sequence[Asked], calibrated: Sequence[Calibrated]) -> Scores:
    """As `found`, with how frequent each value of a choice is."""
    out, offsets = found.copy(), {one.attribute: one for one in calibrated if one.choice}
    for part in asked:
        one = offsets.get(part.question.attribute)
        if one is not None:
            out[:, part.values] += one.temperature * np.array([one.offsets[value] for value in part.question.values])
    return out


def score_question(found: Scores, part: Asked, targets: Targets) -> list[Score]:
    """Scores of one question."""
    key = part.question.attribute
    if part.question.ask == "choice":
        return _choice(key, found, part, targets.choice[key])
    return _each(found, part, targets.each[key]) + _some(key, found, part, targets.some[key])


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
