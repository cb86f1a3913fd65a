"""How well each answer fits each picture: probabilities from embeddings. Pure numpy; it neither loads nor claims."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from character_pipeline.data import View
from character_pipeline.models.manifest import DEFAULT_TRUST

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

    @property
    def rows(self) -> slice:
        """All of them; they stand in one piece."""
        others = len(self.values) if self.absent is not None else self.unsure is not None
        return slice(self.start, self.start + len(self.values) + others)


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """All questions, and the embedding of every answer.

    Attributes:
        answers: shape (rows, views x size). A row holds, for each view, a vector of length 1 times the share that this
            view has in the logit; the shares of a row are 1 together.
        scale: see DualEncoder.
        bias: see DualEncoder.
        views: of how many views a picture's vector is made.
    """

    asked: tuple[Asked, ...]
    answers: NDArray[np.float64]
    scale: float = 100.0
    bias: float = 0.0
    views: int = 1

    def logits(self, embeddings: NDArray[np.floating]) -> NDArray[np.float64]:
        """Shape (pictures, rows) for embeddings of shape (pictures, views x size)."""
        count, size = embeddings.shape
        shown = unit(embeddings.reshape(count, self.views, size // self.views)).reshape(count, size)
        # In double precision, so that the size of the batch changes nothing that could be seen.
        found: NDArray[np.float64] = shown @ self.answers.T * self.scale + self.bias
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
    book: PromptBook,
    set_name: str,
    manifest: Manifest,
    embed: Embed,
    logit: tuple[float, float],
    views: Sequence[View] = ("whole",),
) -> ScoreTable:
    """The table for a prompt set. Each answer is the mean of its sentences' embeddings, scaled to length 1.

    Args:
        embed: sentences to vectors of length 1; called once, with each sentence once.
        logit: scale and bias.
        views: of which the vectors of pictures are made.
    """
    rows = _Rows(book, set_name)
    asked = []
    for question in book.questions.values():
        trust = _trust(question, manifest, views)
        if trust is not None:
            asked.append(_ask(question, trust, rows))
    scale, bias = logit
    answers = _spread(rows.answers(embed), rows.looks, views)
    return ScoreTable(tuple(one for one in asked if one.values), answers, scale, bias, len(views))


def _trust(question: Question, manifest: Manifest, views: Sequence[View]) -> Trust | None:
    """What holds for a question, with the views it is told from here; None where nothing is to be claimed."""
    trust = manifest.trust(question.attribute)
    if trust is None:
        return None
    wanted = trust.look or question.look
    look = _seen(wanted, views)
    # What was measured on other views was not measured on these.
    most = 1.0 if look == _seen(wanted, manifest.views) else DEFAULT_TRUST
    return trust.model_copy(update={"look": look, "trust": min(trust.trust, most)})


def _seen(wanted: Sequence[View], views: Sequence[View]) -> tuple[View, ...]:
    """The views that are wanted, as far as they were read; else the whole picture."""
    return tuple(view for view in wanted if view in views) or ("whole",)


def _spread(
    answers: NDArray[np.float64], looks: Sequence[tuple[View, ...]], views: Sequence[View]
) -> NDArray[np.float64]:
    """Each answer once for each view, times the share of that view."""
    shares = [[(view in look) / len(look) for view in views] for look in looks]
    blocks = [answers * np.array(column)[:, None] for column in zip(*shares, strict=True)]
    return np.concatenate(blocks, axis=1) if blocks else answers


@dataclass(slots=True)
class _Rows:
    """Collects answers as groups of sentences, with the views they are told from, and hands out their rows."""

    book: PromptBook
    set_name: str
    groups: list[list[str]] = field(default_factory=list)
    looks: list[tuple[View, ...]] = field(default_factory=list)

    def add(self, phrases: Sequence[str], look: tuple[View, ...]) -> int:
        self.groups.append(self.book.sentences(phrases, self.set_name))
        self.looks.append(look)
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
    start, add = len(rows.groups), partial(rows.add, look=trust.look or ("whole",))
    for value in values:
        add(question.values[value])
    absent = unsure = None
    if question.ask == "each":
        absent = slice(len(rows.groups), len(rows.groups) + len(values))
        for value in values:
            add((question.absent or {})[value])
    elif question.unsure and values:
        unsure = add(question.unsure)
    phrases = tuple(question.values[value][0] for value in values)
    offsets = tuple(trust.offsets.get(value, 0.0) for value in values)
    return Asked(question.attribute, values, phrases, start, unsure, absent, trust.temperature, trust.trust, offsets)
