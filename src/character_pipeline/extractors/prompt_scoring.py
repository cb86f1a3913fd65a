"""How well each answer fits each picture: probabilities from embeddings. Pure numpy; it neither loads nor claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from character_pipeline.models.manifest import Manifest, Trust
    from character_pipeline.vocabulary.prompts import PromptBook, Question

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
DIGITS = 9
"""Probabilities are rounded, so that the last bits of a matrix product decide nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, with the rows of the score matrix that belong to it.

    Attributes:
        values: the answers; the row of answer i is `start` + i.
        unsure: the row of "cannot be told", or None. For "choice".
        absent: the rows of "not there", one for each value. For "each".
        phrases: what each answer is said as, for a person.
        offsets: added to the logit of each answer after the temperature; none: all zero.
    """

    attribute: str
    values: tuple[str, ...]
    phrases: tuple[str, ...]
    start: int
    unsure: int | None = None
    absent: slice | None = None
    temperature: float = 1.0
    trust: float = 1.0
    offsets: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """All questions, and the embedding of every answer.

    Attributes:
        answers: shape (rows, size), each of length 1.
        scale: see DualEncoder.
        bias: see DualEncoder.
    """

    asked: tuple[Asked, ...]
    answers: NDArray[np.float64]
    scale: float = 100.0
    bias: float = 0.0

    def logits(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Shape (pictures, rows) for embeddings of shape (pictures, size)."""
        # In double precision, so that the size of the batch changes nothing that could be seen.
        found: NDArray[np.float64] = unit(embeddings) @ self.answers.T * self.scale + self.bias
        return found


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Each row in double precision and of length 1; a row of zeros stays one."""
    wide = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    found: NDArray[np.float64] = wide / np.where(lengths > 0, lengths, 1.0)
    return found


def probabilities(asked: Asked, logits: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of each value, shape (pictures, values), and for each picture whether it can be told at all.

    Args:
        logits: of all questions, as `ScoreTable.logits` gives them.
    """
    values = logits[:, asked.start : asked.start + len(asked.values)] / asked.temperature
    values = values + np.asarray(asked.offsets or 0.0)
    if asked.absent is not None:
        found = _share(values, logits[:, asked.absent] / asked.temperature)
        return np.round(found, DIGITS), np.ones(len(values), dtype=bool)
    if asked.unsure is None:
        return np.round(softmax(values), DIGITS), np.ones(len(values), dtype=bool)
    unsure = logits[:, asked.unsure : asked.unsure + 1] / asked.temperature
    found = softmax(np.concatenate([values, unsure], axis=1))
    return np.round(found[:, :-1], DIGITS), found[:, -1] < found[:, :-1].max(axis=1)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return found


def _share(there: NDArray[np.float64], absent: NDArray[np.float64]) -> NDArray[np.float64]:
    """The softmax of two, for the first of them."""
    difference = np.clip(absent - there, -700, 700)
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(difference))
    return found


def build_table(
    book: PromptBook, set_name: str, manifest: Manifest, embed: Embed, logit: tuple[float, float]
) -> ScoreTable:
    """The table for a prompt set. Each answer is the mean of its sentences' embeddings, scaled to length 1.

    Args:
        embed: sentences to vectors of length 1; called once, with each sentence once.
        logit: scale and bias.
    """
    rows = _Rows(book, set_name)
    trusted = [(question, manifest.trust(question.attribute)) for question in book.questions.values()]
    asked = [_ask(question, trust, rows) for question, trust in trusted if trust is not None]
    scale, bias = logit
    return ScoreTable(tuple(one for one in asked if one.values), rows.answers(embed), scale, bias)


@dataclass(slots=True)
class _Rows:
    """Collects answers as groups of sentences, and hands out their rows."""

    book: PromptBook
    set_name: str
    groups: list[list[str]] = field(default_factory=list)

    def add(self, phrases: Sequence[str]) -> int:
        self.groups.append(self.book.sentences(phrases, self.set_name))
        return len(self.groups) - 1

    def answers(self, embed: Embed) -> NDArray[np.float64]:
        """The embedding of every row."""
        if not self.groups:
            return np.empty((0, 0))
        sentences = list(dict.fromkeys(sentence for group in self.groups for sentence in group))
        place = {sentence: number for number, sentence in enumerate(sentences)}
        vectors = unit(embed(sentences))
        return unit(np.stack([vectors[[place[sentence] for sentence in group]].mean(axis=0) for group in self.groups]))


def _ask(question: Question, trust: Trust, rows: _Rows) -> Asked:
    """The question as far as the model may be asked; the rows of its answers stand in one piece."""
    values = tuple(value for value in question.values if trust.values is None or value in trust.values)
    start = len(rows.groups)
    for value in values:
        rows.add(question.values[value])
    absent = unsure = None
    if question.ask == "each":
        absent = slice(len(rows.groups), len(rows.groups) + len(values))
        for value in values:
            rows.add((question.absent or {})[value])
    elif question.unsure and values:
        unsure = rows.add(question.unsure)
    phrases = tuple(question.values[value][0] for value in values)
    offsets = tuple(trust.offsets.get(value, 0.0) for value in values)
    return Asked(question.attribute, values, phrases, start, unsure, absent, trust.temperature, trust.trust, offsets)
