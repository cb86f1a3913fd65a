"""Supervision through the prompts, beside the contrast of pictures and captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from character_pipeline.training.labels import Targets
from character_pipeline.vocabulary.prompts import PromptBook, Question

if TYPE_CHECKING:
    import torch

IMPORTANCE: Mapping[str, float] = {
    "hair_color": 2.0, "hair_length": 1.5, "eye_color": 1.5, "gender": 1.0, "facial_expression": 1.5, "dress": 1.5,
}  # fmt: skip
OTHERS = 0.5
VALUE: Mapping[str, float] = {
    # of single values that are asked for by themselves
    "Glasses": 1.5, "Sunglasses": 0.5, "Hat": 0.5, "Beard": 0.5, "Mustache": 0.5, "Goatee": 0.3, "Stubble": 0.3,
}  # fmt: skip
OTHER_VALUES = 0.15
SOME = 3.0
"""Of whether any value of an attribute is true at all."""
SMOOTHING = 0.05
"""So much of every aim is what is frequent: where nothing tells a class, the embeddings then have nothing to say."""


@dataclass(frozen=True)
class Asked:
    """Where the embeddings of a question's sentences stand in a batch of sentences."""

    question: Question
    values: slice
    others: slice
    """`unsure` of a choice (as many as there are), or `absent` of each value."""


def lay_out(book: PromptBook) -> tuple[list[Asked], list[tuple[str, ...]]]:
    """The questions, and for each row of sentences the phrases that it may be made of."""
    asked: list[Asked] = []
    rows: list[tuple[str, ...]] = []
    for question in book.questions.values():
        start = len(rows)
        rows += list(question.values.values())
        middle = len(rows)
        rows += [question.unsure] if question.unsure else []
        rows += list(question.absent.values()) if question.absent else []
        asked.append(Asked(question, slice(start, middle), slice(middle, len(rows))))
    return asked, rows


def prompt_loss(
    similarity: torch.Tensor, asked: list[Asked], targets: Targets, odds: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """The mean loss over all that is asked, weighted by importance.

    `similarity`, (N, sentences), is scaled cosines; `odds` says how frequent each class is.
    """
    import torch

    similarity = similarity.float()
    losses: list[torch.Tensor] = []
    total = 0.0
    for part in asked:
        loss, importance = (_choice if part.question.ask == "choice" else _each)(similarity, part, targets, odds)
        losses.append(loss)
        total += importance
    return torch.stack(losses).sum() / max(total, 1e-6)


def _choice(similarity: Any, part: Asked, targets: Targets, odds: Mapping[str, Any]) -> tuple[Any, float]:
    """The loss of a question, already weighted, and its weight."""
    import torch
    from torch.nn import functional

    key = part.question.attribute
    wanted = torch.from_numpy(targets.choice[key])
    if not bool((wanted >= 0).any()):
        return torch.zeros(()), 0.0
    logits = torch.cat([similarity[:, part.values], similarity[:, part.others]], dim=1) + odds[key]
    importance = IMPORTANCE.get(key, OTHERS)
    known = wanted >= 0
    aim = functional.one_hot(wanted[known], logits.shape[1]) * (1 - SMOOTHING) + odds[key].softmax(0) * SMOOTHING
    return importance * functional.cross_entropy(logits[known], aim), importance


def _each(similarity: Any, part: Asked, targets: Targets, odds: Mapping[str, Any]) -> tuple[Any, float]:
    import torch

    key = part.question.attribute
    wanted, some = torch.from_numpy(targets.each[key]), torch.from_numpy(targets.some[key])
    margin = similarity[:, part.values] - similarity[:, part.others]
    importance = torch.tensor([VALUE.get(value, OTHER_VALUES) for value in part.question.values])
    known = (wanted >= 0).float()
    costs = _there(margin, wanted.clamp_min(0), odds[key])
    counts = known.sum(0)
    loss = ((costs * known).sum(0) / counts.clamp_min(1.0) * importance).sum()
    weight = float((importance * (counts > 0)).sum())
    rows = some >= 0
    if not bool(rows.any()):
        return loss, weight
    any_of_them = _there(margin.amax(1), some, odds[f"{key}: any"])[rows].mean()
    return loss + SOME * any_of_them, weight + SOME


def _there(margin: Any, truth: Any, odds: Any) -> Any:
    """The cost of each margin, of what is there (1) or not (0)."""
    from torch.nn import functional

    aim = truth.float() * (1 - SMOOTHING) + odds.sigmoid() * SMOOTHING
    return functional.binary_cross_entropy_with_logits(margin + odds, aim, reduction="none")


def margins(similarity: torch.Tensor, asked: list[Asked]) -> torch.Tensor:
    """What answers depend on, (N, margins): of a choice, how far each class is from the mean of all; of what is asked
    for by itself, how far "there" is from "not there". `similarity` is (N, sentences)."""
    import torch

    found = []
    for part in asked:
        values, others = similarity[:, part.values], similarity[:, part.others]
        if part.question.ask == "choice":
            classes = torch.cat([values, others], dim=1)
            found.append(classes - classes.mean(dim=1, keepdim=True))
        else:
            found.append(values - others)
    return torch.cat(found, dim=1)


def contrast_loss(pictures: Any, captions: Any, scale: Any) -> Any:
    """The symmetric cross-entropy of CLIP (Radford et al., 2021) over a batch: (N, d) each."""
    import torch
    from torch.nn import functional

    logits = scale * pictures @ captions.T
    wanted = torch.arange(len(logits))
    return (functional.cross_entropy(logits, wanted) + functional.cross_entropy(logits.T, wanted)) / 2


def log_odds(targets: Targets, book: PromptBook) -> dict[str, torch.Tensor]:
    """How frequent each class is: logarithms of shares for a choice, of odds for each value by itself.

    Added to the logits while training, so that the embeddings need not learn what is merely frequent (logit
    adjustment: Menon et al., 2021).
    """
    import torch

    odds: dict[str, torch.Tensor] = {}
    for key, question in book.questions.items():
        if question.ask == "choice":
            found = targets.choice[key]
            counts = np.bincount(found[found >= 0], minlength=len(question.values) + bool(question.unsure)) + 1.0
            raw = np.log(counts / counts.sum())
        else:
            raw = _odds(targets.each[key])
            odds[f"{key}: any"] = torch.tensor(_odds(targets.some[key]), dtype=torch.float32)
        odds[key] = torch.tensor(raw, dtype=torch.float32)
    return odds


def _odds(found: Any) -> Any:
    """Logarithms of the odds that something is there (1), by column."""
    return np.log(((found == 1).sum(0) + 1.0) / ((found == 0).sum(0) + 1.0))
