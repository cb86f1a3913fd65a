"""What sources leave unsaid of lists, learned without labels: texts and pictures are each other's truth.

What a text states is hidden from the pictures, and what pictures are sure of from the texts: how often the other side
says nothing of it is how often it is silent about what is true. Scores stay as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Habits, noisy_or
from character_pipeline.data import STATEMENT
from character_pipeline.training.fusion.sides import LEAST_SURE, PRIOR_CASES, SURE, echoes, rounded, sides

Floats = NDArray[np.float64]


def list_habits(ballot: Ballot) -> tuple[int, Habits] | None:
    """How often a sure picture was asked of a text, and the habits of all sources; None where that was too seldom."""
    texts, looking = (noisy_or(ballot.of(names)) for names in sides(ballot))
    texts, looking = np.where(texts >= STATEMENT, texts, 0.0), np.where(looking >= SURE, looking, 0.0)
    sure = int(((looking > 0) & ballot.of(sides(ballot)[0]).heard.any(axis=1, keepdims=True)).sum())
    if sure < LEAST_SURE:
        return None
    chances = noisy_or(ballot)
    silent, mute = zip(
        *(
            (
                _silent(ballot, place, texts if name in ballot.lookers else looking),
                _mute(ballot, place, chances),
            )
            for place, name in enumerate(ballot.sources)
        ),
        strict=True,
    )
    # To say nothing never speaks for a value.
    quiet = np.minimum(np.stack(silent), np.stack(mute))
    none = np.full((len(quiet), 1), 0.5)
    prior = np.append((chances.sum(axis=0) + 0.5) / (len(ballot) + 1), 0.5)
    return sure, Habits(
        ballot.sources,
        rounded(prior),
        rounded(np.concatenate([quiet, none], axis=1)),
        rounded(np.stack(mute)),
        echoes(ballot),
    )


def _silent(ballot: Ballot, place: int, true: Floats) -> Floats:
    """How often a source does not state what the other side says is true, by value, (V,)."""
    true = true * ballot.heard[:, place, None]
    quiet = (true * (ballot.scores[:, place] <= 0)).sum(axis=0)
    usual = (quiet.sum() + 1) / (true.sum() + 2)
    found: Floats = (quiet + PRIOR_CASES * usual) / (true.sum(axis=0) + PRIOR_CASES)
    return found


def _mute(ballot: Ballot, place: int, chances: Floats) -> Floats:
    """How often a source does not state what is not true, by value, (V,): it is as often wrong as its scores say."""
    own, heard = ballot.scores[:, place], ballot.heard[:, place, None]
    wrong = np.where(heard & (own > 0), 1 - own, 0.0).sum(axis=0)
    found: Floats = 1 - wrong / np.maximum((heard * (1 - chances)).sum(axis=0), 1.0)
    return found
