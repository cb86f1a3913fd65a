"""What the policy knows when it decides on an attribute of an item: the state, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import noisy_or
from character_pipeline.rl_optimizer.actions import CLIP, COLOR, LEAST, MODEL, NAMES, Heard

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
    def by(cls, ballot: Ballot) -> _Said:
        chances = noisy_or(ballot)
        ranked = np.sort(chances, axis=1)
        second = ranked[:, -2] if ranked.shape[1] > 1 else np.zeros(len(ranked))
        return cls(
            ballot.told,
            ranked[:, -1],
            second,
            np.minimum(ballot.stated.sum(axis=1), 3) / 3.0,
            chances.argmax(axis=1),
        )

    def columns(self) -> list[NDArray[np.float64]]:
        return [self.speaks.astype(np.float64), self.top, self.second, self.values]

    def goes_with(self, other: _Said) -> NDArray[np.float64]:
        """1 where both find the same value best, -1 another, 0 where one is silent."""
        both = self.speaks & other.speaks
        return np.where(both, np.where(self.best == other.best, 1.0, -1.0), 0.0)


def states(heard: Sequence[Heard], said: Sequence[NDArray[np.float64]], subset: int) -> Floats:
    """The state of every attribute when a subset was bought: shape (N, attributes, features).

    Args:
        heard: what is made of the scores, by attribute.
        said: what the actions say, by attribute, see `actions.supports`.
    """
    own, told, clip, goes = [], [], [], []
    for one, chances in zip(heard, said, strict=True):
        seen = one.pictures
        others = [name for name in seen.sources if name != CLIP]
        text, model, color = (_Said.by(part) for part in (one.texts, seen.of([CLIP]), seen.of(others)))
        own.append(np.concatenate([_own(one, text, model, color), _answers(one, chances)], axis=1))
        told.append(text)
        clip.append(model)
        goes.append(model.goes_with(text))
    shared = _shared(told, clip, np.stack(goes, axis=1), [one.ballot.attribute.many for one in heard], subset)
    places = np.eye(len(heard))
    rows = [
        np.concatenate([np.broadcast_to(place, (len(part), len(place))), part, shared], axis=1)
        for place, part in zip(places, own, strict=True)
    ]
    return np.stack(rows, axis=1).astype(np.float32)


def _answers(heard: Heard, chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each action how sure it is (of a list: how many values it says), and what the judges think of its answer:
    (N, 3 * actions)."""
    if heard.ballot.attribute.many:
        said = chances >= LEAST[:, None]
        count = said.sum(axis=2)
        parts = [(said * judge[:, None]).sum(axis=2) / np.maximum(count, 1) for judge in (heard.bayes, heard.stack)]
        return np.stack([count / 4, *parts], axis=2).reshape(len(chances), -1)
    best, sure = chances.argmax(axis=2), chances.max(axis=2)
    parts = [np.take_along_axis(judge, best, axis=1) * (sure > 0) for judge in (heard.bayes, heard.stack)]
    return np.stack([sure, *parts], axis=2).reshape(len(chances), -1)


def _own(heard: Heard, text: _Said, model: _Said, color: _Said) -> NDArray[np.float64]:
    ranked = np.sort(heard.bayes, axis=1)
    together = noisy_or(heard.ballot).max(axis=1)
    columns = [*text.columns(), *model.columns(), *color.columns()]
    columns += [model.goes_with(text), color.goes_with(text), color.goes_with(model)]
    second = ranked[:, -2] if ranked.shape[1] > 1 else np.zeros(len(ranked))
    columns += [ranked[:, -1], second, together, np.full(len(ranked), float(heard.ballot.attribute.many))]
    return np.stack(columns, axis=1)


def _shared(
    told: Sequence[_Said], clip: Sequence[_Said], goes: NDArray[np.float64], many: Sequence[bool], subset: int
) -> NDArray[np.float64]:
    spoken = np.stack([one.speaks for one in told], axis=1)
    values = np.stack([one.values for one in told], axis=1)
    torn = np.stack([(one.second >= 0.2) & (not several) for one, several in zip(told, many, strict=True)], axis=1)
    seen = np.stack([one.speaks for one in clip], axis=1)
    tops = np.stack([one.top for one in clip], axis=1)
    count = np.maximum(seen.sum(axis=1), 1)
    compared = np.maximum(np.abs(goes).sum(axis=1), 1)
    columns = [spoken.mean(axis=1), values.sum(axis=1) / 16, np.minimum(torn.sum(axis=1), 4) / 4,
               tops.sum(axis=1) / count, seen.mean(axis=1), goes.sum(axis=1) / compared]  # fmt: skip
    columns += [np.full(len(spoken), float(bool(subset & bit))) for bit in (COLOR, MODEL)]
    return np.stack(columns, axis=1)
