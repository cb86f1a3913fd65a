"""Any ballot at all."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.bayesian import Habits
from character_pipeline.attribute_fusion.calibration import Calibration, Curve
from character_pipeline.attribute_fusion.ensemble import PER_SOURCE, Stack
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
SOURCES = ("a", "b", "c")
KEYS = ("hair_color", "gender", "accessories", "hair_style")
SCORES = st.one_of(st.just(0.0), st.sampled_from([0.3, 0.5, 0.9, 1.0, 1e-9]), st.floats(0.0, 1.0))


def make_ballot(key: str, scores: list[list[dict[str, float]]], heard: list[list[bool]] | None = None) -> Ballot:
    """By item and source, the score of each stated value; all sources are heard."""
    attribute = VOCABULARY.attributes[key]
    table = np.zeros((len(scores), len(scores[0]), len(attribute.values)))
    for row, item in enumerate(scores):
        for place, said in enumerate(item):
            for value, score in said.items():
                table[row, place, attribute.order[value]] = score
    given = np.ones(table.shape[:2], dtype=np.bool_) if heard is None else np.array(heard, dtype=np.bool_)
    return Ballot(attribute, SOURCES[: table.shape[1]], table, given)


@st.composite
def any_ballot(draw: st.DrawFn, keys: tuple[str, ...] = KEYS) -> Ballot:
    attribute = VOCABULARY.attributes[draw(st.sampled_from(keys))]
    items, sources, values = draw(st.integers(1, 5)), draw(st.integers(1, 3)), len(attribute.values)
    scores = np.zeros((items, sources, values))
    heard = np.zeros((items, sources), dtype=np.bool_)
    for row in range(items):
        for place in range(sources):
            said = draw(st.dictionaries(st.integers(0, values - 1), SCORES, max_size=3))
            for value, score in said.items():
                scores[row, place, value] = score
            heard[row, place] = bool(said) or draw(st.booleans())
    return Ballot(attribute, SOURCES[:sources], scores, heard)


def habits_of(key: str, seed: int = 0) -> Habits:
    """Some habits, of two of the sources."""
    attribute = VOCABULARY.attributes[key]
    rng, values = np.random.default_rng(seed), len(attribute.values)
    prior = rng.dirichlet(np.ones(values + 1)) * 0.9 + 0.1 / (values + 1)
    silent = rng.uniform(0.1, 0.9, (2, values + 1))
    mute = rng.uniform(0.1, 0.9, (2, values)) if attribute.many else np.zeros((0, 0))
    return Habits(SOURCES[:2], prior, silent, mute, np.array([1.0, 0.7]))


def stack_of(seed: int = 0) -> Stack:
    """Some weights, of two of the sources."""
    rng = np.random.default_rng(seed)
    return Stack(SOURCES[:2], rng.normal(size=2 * PER_SOURCE), -0.3)


CALIBRATION = Calibration(
    {
        "a": {"*": Curve(0.8, -0.2), "hair_color": Curve(scores=(0.2, 0.6, 1.0), chances=(0.1, 0.5, 0.95))},
        "b": {"gender": Curve(1.3, 0.1)},
    }
)
