"""Simulated annotators are seen through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.dawid_skene import (
    UNHEARD,
    UNLABELLED,
    DawidSkene,
    learn_annotators,
    learn_tables,
    symbols_of,
)
from character_pipeline.evaluation.metrics import Floats, Ints
from tests.attribute_fusion.voting import any_ballot, make_ballot

CLASSES = 3
GOOD = np.full((3, 3), 0.05) + np.eye(3) * 0.85
BIASED = np.array([[0.9, 0.05, 0.05], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
"""Takes the second for the first."""
TABLES = np.stack([GOOD, BIASED, BIASED])


def simulated(count: int, tables: Floats = TABLES, seed: int = 0) -> tuple[Ints, Ints]:
    """The truth, and what annotators with these tables say; (N,) and (N, S)."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, count, p=[0.5, 0.3, 0.2])
    said = [[rng.choice(table.shape[1], p=table[true]) for table in tables] for true in truth]
    return truth.astype(np.int64), np.array(said, dtype=np.int64)


def test_tables_are_recovered_without_labels() -> None:
    tables = np.stack([GOOD, GOOD, BIASED])
    _, said = simulated(4_000, tables)
    found = learn_annotators(said, CLASSES, CLASSES)
    np.testing.assert_allclose(found.tables, tables, atol=0.05)
    np.testing.assert_allclose(found.prior, [0.5, 0.3, 0.2], atol=0.04)


def test_it_beats_the_majority_which_two_biased_annotators_are() -> None:
    truth, said = simulated(3_000)
    known = np.where(np.arange(3_000) < 300, truth, UNLABELLED)
    found = learn_annotators(said, CLASSES, CLASSES, known)
    np.testing.assert_allclose(found.tables, TABLES, atol=0.08)
    rest = known == UNLABELLED
    votes = (said[:, :, None] == np.arange(CLASSES)).sum(axis=1).argmax(axis=1)
    learned = found.posterior(said).argmax(axis=1)
    assert (learned == truth)[rest].mean() > (votes == truth)[rest].mean() + 0.05


def test_labels_are_respected() -> None:
    _, said = simulated(400, np.stack([GOOD, GOOD, GOOD]))
    turned = ((said[:, 0] + 1) % CLASSES).astype(np.int64)
    found = learn_annotators(said, CLASSES, CLASSES, turned)
    # By these labels the first annotator always says the class before the true one.
    np.testing.assert_allclose(found.tables[0][[1, 2, 0], [0, 1, 2]], 1.0, atol=0.05)
    np.testing.assert_allclose(found.prior, (np.bincount(turned) + 1) / (len(turned) + CLASSES))


def test_who_was_not_asked_says_nothing() -> None:
    truth, said = simulated(1_000)
    said[::2, 1:] = UNHEARD
    found = learn_annotators(said, CLASSES, CLASSES)
    np.testing.assert_allclose(found.posterior(np.full((1, 3), UNHEARD, dtype=np.int64))[0], found.prior)
    assert (found.posterior(said).argmax(axis=1) == truth).mean() > 0.8


def test_of_nothing_the_smoothing_is_left() -> None:
    found = learn_annotators(np.zeros((0, 2), dtype=np.int64), CLASSES, CLASSES)
    np.testing.assert_allclose(found.prior, 1 / 3)
    np.testing.assert_allclose(found.tables[0], np.full((3, 3), 1 / 6) + np.eye(3) / 2)


def test_symbols_are_the_surest_value_or_silence() -> None:
    ballot = make_ballot("gender", [[{"Male": 0.3, "Female": 0.6}, {}], [{}, {}]], heard=[[True, True], [False, True]])
    order, silence = ballot.attribute.order, len(ballot.attribute.values)
    assert symbols_of(ballot).tolist() == [[order["Female"], silence], [UNHEARD, silence]]
    listed = symbols_of(make_ballot("accessories", [[{"Hat": 0.3}, {}]], heard=[[True, False]]))
    hat = make_ballot("accessories", [[{}]]).attribute.order["Hat"]
    assert listed[0, 0, hat] == 0
    assert listed[0, 0].sum() == listed.shape[2] - 1
    assert (listed[0, 1] == UNHEARD).all()


@pytest.mark.parametrize("key", ["gender", "accessories"])
def test_a_source_that_lies_is_not_believed(key: str) -> None:
    """The labels show that what `a` says is never true, and what `b` says always is."""
    attribute = make_ballot(key, [[{}]]).attribute
    first, second = attribute.values[:2]
    rows = [[{first: 0.9}, {second: 0.5}], [{second: 0.9}, {first: 0.5}]] * 40
    ballot = make_ballot(key, rows)
    places = np.tile([1, 0], 40)
    known = places if not attribute.many else (np.arange(len(attribute.values)) == places[:, None]).astype(np.int64)
    strategy = DawidSkene({key: learn_tables(ballot, known)})
    support = strategy.support(ballot)
    assert (support.argmax(axis=1) == places).all()
    assert support.max() > 0.8
    assert support[:, :2].min() < 0.2


@given(any_ballot())
def test_supports_are_bounded_and_of_every_row_by_itself(ballot: Ballot) -> None:
    strategy = DawidSkene({ballot.attribute.key: learn_tables(ballot)})
    found = strategy.support(ballot)
    assert ((found >= 0) & (found <= 1)).all()
    assert not found[~ballot.stated].any()
    if not ballot.attribute.many:
        assert (found.sum(axis=1) <= 1 + 1e-9).all()
    for row in range(len(ballot)):
        assert strategy.support(ballot.take(np.array([row]))).tobytes() == found[[row]].tobytes()
    assert DawidSkene().support(ballot).shape == found.shape
