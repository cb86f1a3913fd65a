"""What the policy knows when it decides on an attribute of an item: the state, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import noisy_or
from character_pipeline.rl_optimizer.actions import COLOR, LEAST, MODEL, NAMES, Heard, best_of

Floats = NDArray[np.float32]
KINDS = ("text", "clip", "color")
OWN = (
    *(f"{kind}: {what}" for kind in KINDS for what in ("speaks", "top", "second", "values")),
    "clip goes with text", "color goes with text", "color goes with clip",
    "bayes: top", "bayes: second", "together: top", "many values",
    *(f"{name}: {what}" for name in NAMES for what in ("says", "bayes", "stack")),
)  # fmt: skip
"""Of one attribute."""
SHARED = (
    "attributes told", "values told", "contradictions in the text", "clip: mean top", "clip: attributes",
    "clip goes with text, mean", "color bought", "model bought",
)  # fmt: skip
"""Of the item, over all attributes."""


def feature_names(keys: Sequence[str]) -> tuple[str, ...]:
    """The names of the numbers, for attributes in this order."""
    return (*(f"is {key}" for key in keys), *OWN, *SHARED)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one kind of source says of an attribute; numbers (N,)."""

    speaks: NDArray[np.bool_]
    top: NDArray[np.float64]
    second: NDArray[np.float64]
    values: NDArray[np.float64]
    best: NDArray[np.int64]

    @classmethod
    def by(cls, ballot: Ballot, chances: NDArray[np.float64]) -> _Said:
        """From what a ballot says, and its noisy-or (N, V)."""
        if not ballot.sources:
            nothing = np.zeros(len(ballot))
            return cls(nothing > 0, nothing, nothing, nothing, nothing.astype(np.int64))
        stated, (top, second) = ballot.stated.sum(axis=1), _two_best(chances)
        return cls(stated > 0, top, second, np.minimum(stated, 3) / 3.0, chances.argmax(axis=1))

    def take(self, rows: NDArray[np.int64]) -> _Said:
        return _Said(self.speaks[rows], self.top[rows], self.second[rows], self.values[rows], self.best[rows])

    def columns(self) -> list[NDArray[np.float64]]:
        return [self.speaks.astype(np.float64), self.top, self.second, self.values]

    def goes_with(self, other: _Said) -> NDArray[np.float64]:
        """1 where both find the same value best, -1 another, 0 where one is silent."""
        both = self.speaks & other.speaks
        return np.where(both, np.where(self.best == other.best, 1.0, -1.0), 0.0)


class View(NamedTuple):
    """One attribute by the kinds of sources."""

    text: _Said
    model: _Said
    color: _Said

    @classmethod
    def of(cls, heard: Heard) -> View:
        pairs = (heard.texts, heard.by_texts), (heard.clip, heard.by_clip), (heard.colors, noisy_or(heard.colors))
        return cls(*(_Said.by(*pair) for pair in pairs))

    def take(self, rows: NDArray[np.int64]) -> View:
        return View(*(said.take(rows) for said in self))

    def outline(self, many: bool) -> NDArray[np.float64]:
        """What the state of the other attributes knows of this one, (len(OUTLINE), N)."""
        torn = (self.text.second >= 0.2) & (not many)
        goes = self.model.goes_with(self.text)
        return np.stack([self.text.speaks, self.text.values, torn, self.model.speaks, self.model.top, goes])


OUTLINE = ("text speaks", "values told", "contradiction in the text", "clip speaks", "clip: top", "clip goes with text")


def states(heard: Sequence[Heard], said: Sequence[NDArray[np.float64]], subset: int) -> Floats:
    """The state of every attribute when a subset was bought: shape (N, attributes, features).

    Args:
        heard: what is made of the scores, by attribute.
        said: what the actions say, by attribute, see `actions.supports`.
    """
    views = [View.of(one) for one in heard]
    outlines = [view.outline(one.ballot.attribute.many) for view, one in zip(views, heard, strict=True)]
    of_item = shared(np.stack(outlines, axis=2), subset)
    parts = zip(heard, views, said, strict=True)
    return np.stack([state(place, len(heard), own(*part), of_item) for place, part in enumerate(parts)], axis=1)


def state(place: int, attributes: int, own: NDArray[np.float64], shared: NDArray[np.float64]) -> Floats:
    """The state of one attribute, (N, features), by its place among all."""
    found = np.zeros((len(own), attributes + own.shape[1] + shared.shape[1]), dtype=np.float32)
    found[:, place] = 1.0
    found[:, attributes : attributes + own.shape[1]] = own
    found[:, attributes + own.shape[1] :] = shared
    return found


def own(heard: Heard, view: View, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the state of an attribute knows of it, (N, len(OWN)).

    Args:
        chances: what the actions say of it.
    """
    text, model, color = view
    columns = [*text.columns(), *model.columns(), *color.columns()]
    columns += [model.goes_with(text), color.goes_with(text), color.goes_with(model), *_two_best(heard.bayes)]
    columns += [heard.together.max(axis=1), np.full(len(chances), float(heard.ballot.attribute.many))]
    return np.concatenate([np.stack(columns, axis=1), _answers(heard, chances)], axis=1)


def _two_best(chances: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The highest and the second highest of each row."""
    ranked = np.sort(chances, axis=1)
    return ranked[:, -1], ranked[:, -2] if ranked.shape[1] > 1 else np.zeros(len(ranked))


def _answers(heard: Heard, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each action how sure it is (of a list: how many values it says), and what the judges think of its answer:
    (N, 3 * actions)."""
    if heard.ballot.attribute.many:
        said = chances >= LEAST[:, None]
        count = said.sum(axis=2)
        parts = [(said * judge[:, None]).sum(axis=2) / np.maximum(count, 1) for judge in (heard.bayes, heard.stack)]
        return np.stack([count / 4, *parts], axis=2).reshape(len(chances), 3 * len(NAMES))
    best, sure = best_of(chances)
    parts = [np.take_along_axis(judge, best, axis=1) * (sure > 0) for judge in (heard.bayes, heard.stack)]
    return np.stack([sure, *parts], axis=2).reshape(len(chances), 3 * len(NAMES))


def shared(outlines: NDArray[np.float64], subset: int) -> NDArray[np.float64]:
    """What all states of an item know, (N, len(SHARED)), from the outlines of all attributes, (len(OUTLINE), N, A)."""
    spoken, values, torn, seen, tops, goes = np.ascontiguousarray(outlines)
    count = np.maximum(seen.sum(axis=1), 1)
    compared = np.maximum(np.abs(goes).sum(axis=1), 1)
    columns = [spoken.mean(axis=1), values.sum(axis=1) / 16, np.minimum(torn.sum(axis=1), 4) / 4,
               tops.sum(axis=1) / count, seen.mean(axis=1), goes.sum(axis=1) / compared]  # fmt: skip
    columns += [np.full(len(spoken), float(bool(subset & bit))) for bit in (COLOR, MODEL)]
    return np.stack(columns, axis=1)
