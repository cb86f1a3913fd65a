"""Heads from simulated vectors, and labels from what texts state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.data import Evidence, Item
from character_pipeline.evaluation.metrics import Floats, Ints
from character_pipeline.extractors.probes import Head
from character_pipeline.training.probes.heads import FOLDS, Cases, Examples, fit_head
from character_pipeline.training.probes.judging import judge, scores_of
from character_pipeline.training.probes.tagged import UNLABELLED, group, label
from character_pipeline.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
HAIR, WORN = VOCABULARY.attributes["hair_color"], VOCABULARY.attributes["accessories"]
SIZE = 16
NOTHING_KNOWN = np.empty((0, SIZE))


def clouds(count: int, kinds: int, seed: int = 0, spread: float = 0.15) -> tuple[Floats, Ints]:
    """Vectors of length 1 around a direction for each kind."""
    chance = np.random.default_rng(seed)
    kind = chance.integers(0, kinds, count)
    centres = np.random.default_rng(99).normal(size=(kinds, SIZE))
    vectors = centres[kind] / np.linalg.norm(centres[kind], axis=1, keepdims=True)
    vectors = vectors + chance.normal(0, spread, vectors.shape)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), kind.astype(np.int64)


def alone(count: int) -> Ints:
    return np.arange(count, dtype=np.int64)


def fitted(found: Head | None) -> Head:
    assert found is not None
    return found


def test_separable_values_are_recovered() -> None:
    vectors, kind = clouds(300, 4)
    head = fitted(fit_head(HAIR, Examples(vectors, kind, alone(300), NOTHING_KNOWN)))
    assert head.about.values == HAIR.values[:4]
    assert head.about.tags == 300
    others, true = clouds(200, 4, seed=1)
    chances, told = head.chances(others)
    assert told.all()
    assert (chances.argmax(axis=1) == true).mean() > 0.97
    assert chances.max(axis=1).mean() > 0.9


def test_two_values_are_enough_and_one_is_not() -> None:
    vectors, kind = clouds(100, 2)
    head = fitted(fit_head(HAIR, Examples(vectors, kind, alone(100), NOTHING_KNOWN)))
    assert (head.chances(vectors)[0].argmax(axis=1) == kind).mean() > 0.97
    assert fit_head(HAIR, Examples(vectors, np.zeros(100, np.int64), alone(100), NOTHING_KNOWN)) is None


def test_what_cannot_be_told_is_learnt_too() -> None:
    vectors, kind = clouds(300, 3)
    labels = np.where(kind == 2, len(HAIR.values), kind)
    head = fitted(fit_head(HAIR, Examples(vectors, labels, alone(300), NOTHING_KNOWN)))
    assert head.about.unsure
    _, told = head.chances(vectors)
    assert (told == (kind != 2)).mean() > 0.97


def test_lists_are_learnt_value_by_value() -> None:
    vectors, kind = clouds(300, 3)
    labels = np.full((300, len(WORN.values)), UNLABELLED)
    labels[:, 0], labels[:, 2] = kind == 0, kind != 1
    labels[:50, 2] = UNLABELLED
    head = fitted(fit_head(WORN, Examples(vectors, labels, alone(300), NOTHING_KNOWN)))
    assert head.about.values == (WORN.values[0], WORN.values[2])
    chances, _ = head.chances(vectors)
    assert ((chances > 0.5) == np.stack([kind == 0, kind != 1], axis=1)).mean() > 0.97


def test_probabilities_come_true() -> None:
    chance = np.random.default_rng(3)
    vectors, kind = clouds(3000, 3)
    noisy = np.where(chance.random(3000) < 0.3, chance.integers(0, 3, 3000), kind)
    head = fitted(fit_head(HAIR, Examples(vectors[:1500], noisy[:1500], alone(1500), NOTHING_KNOWN)))
    chances, _ = head.chances(vectors[1500:])
    right = chances.argmax(axis=1) == noisy[1500:]
    assert abs(chances.max(axis=1).mean() - right.mean()) < 0.05


def test_prompts_help_where_tags_are_few() -> None:
    vectors, kind = clouds(40, 4, spread=0.5)
    others, true = clouds(400, 4, seed=1, spread=0.5)
    centres = np.random.default_rng(99).normal(size=(4, SIZE))
    right = [
        (
            fitted(fit_head(HAIR, Examples(vectors, kind, alone(40), known))).chances(others)[0].argmax(axis=1) == true
        ).mean()
        for known in (NOTHING_KNOWN, centres / np.linalg.norm(centres, axis=1, keepdims=True))
    ]
    assert right[1] > right[0]


@given(seed=st.integers(0, 1_000), people=st.integers(4, 30), kinds=st.integers(2, 5))
def test_no_character_is_in_two_folds(seed: int, people: int, kinds: int) -> None:
    chance = np.random.default_rng(seed)
    groups = chance.integers(0, people, 60)
    truth = chance.integers(0, kinds, 60)[:, None] == np.arange(kinds)
    cases = Cases(np.zeros((60, 2), np.float32), truth, np.ones_like(truth), groups, choice=True)
    for one in np.unique(groups):
        assert len(np.unique(cases.folds[groups == one])) == 1
    assert set(cases.folds.tolist()) == set(range(min(FOLDS, len(np.unique(groups)))))


def claim(attribute: str, value: str, stance: Any = "is") -> Evidence:
    return Evidence(attribute, value, 0.9, "tag_parser/1", value, stance)


def test_labels_are_what_texts_state() -> None:
    said: list[dict[str, list[Evidence]]] = [
        {"hair_color": [claim("hair_color", "Red"), claim("hair_color", "Red")]},
        {"hair_color": [claim("hair_color", "Red"), claim("hair_color", "Black")]},
        {"hair_color": [claim("hair_color", "", "hidden")]},
        {"hair_color": [claim("hair_color", "Red"), claim("hair_color", "", "hidden")]},
        {"accessories": [claim("accessories", "Glasses")]},
        {"accessories": [claim("accessories", "Hat", "not")]},
        {},
    ]
    found = label(said, VOCABULARY)
    red = HAIR.order["Red"]
    assert found["hair_color"].tolist() == [red, UNLABELLED, len(HAIR.values), *[UNLABELLED] * 4]
    worn = found["accessories"]
    assert worn[4, WORN.order["Glasses"]] == 1
    assert (np.delete(worn[4], WORN.order["Glasses"]) == 0).all()
    assert (worn[[0, 5, 6]] == UNLABELLED).all()


def test_like_contents_and_known_characters_stay_together() -> None:
    items = [Item("a", content_hash="1"), Item("b", content_hash="1"), Item("c", content_hash="2")]
    assert len(set(group(items, {}).tolist())) == 2
    assert len(set(group(items, {"a": "x", "b": "x", "c": "x"}).tolist())) == 1
    assert len(set(group(items, {"a": "x", "c": "x"}).tolist())) == 1


class Says:
    """Claims the value that is written in an item's text."""

    def __init__(self, share: float) -> None:
        self.chance = np.random.default_rng(0).random(1_000) < share

    def process(self, batch: Any) -> list[tuple[Evidence, ...]]:
        words = [item.text if right else "Green" for item, right in zip(batch, self.chance, strict=False)]
        return [(Evidence("hair_color", word, 0.8, "x/1", ""),) for word in words]


@pytest.mark.parametrize(("prompts", "probes", "kept"), [(0.5, 0.9, True), (0.9, 0.9, False), (0.9, 0.5, False)])
def test_only_what_beats_prompts_is_kept(prompts: float, probes: float, kept: bool) -> None:
    items = [Item(str(n), text=("Red", "Black")[n % 2]) for n in range(200)]
    labels = np.array([HAIR.order[str(item.text)] for item in items])
    claimants = {"prompts": Says(prompts), "probes": Says(probes)}
    scores = {name: scores_of(one, items, [HAIR])["hair_color"] for name, one in claimants.items()}
    verdict = judge(HAIR, labels, scores, alone(200))
    assert verdict is not None
    assert verdict.kept == kept
    assert verdict.gain == pytest.approx(2 * (probes - prompts), abs=0.16)
    assert verdict.prompts.coverage == 1.0


def test_what_is_said_counts_and_not_the_best_guess() -> None:
    """A guess below one half is silence; a wrong word costs as much as a right one is worth."""
    labels = np.arange(200, dtype=np.int64) % 2
    scores = {name: np.zeros((200, len(HAIR.values))) for name in ("prompts", "probes")}
    scores["prompts"][:, 0], scores["probes"][:, 0] = 0.9, 0.9
    scores["probes"][labels == 1, :2] = 0.4, 0.45
    verdict = judge(HAIR, labels, scores, alone(200))
    assert verdict is not None
    assert (verdict.prompts.utility, verdict.probes.utility) == (0.0, 0.5)
    assert (verdict.prompts.coverage, verdict.probes.coverage) == (1.0, 0.5)
    assert verdict.probes.accuracy == 1.0
    assert verdict.kept


def test_lists_are_judged_by_what_is_said() -> None:
    labels = np.full((100, len(WORN.values)), UNLABELLED)
    labels[:, 0] = np.arange(100) < 10
    never, always = np.zeros(labels.shape), (labels == 1).astype(np.float64)
    verdict = judge(WORN, labels, {"prompts": never, "probes": always}, alone(100))
    assert verdict is not None
    assert (verdict.prompts.accuracy, verdict.prompts.utility, verdict.probes.utility) == (0.9, 0.0, 0.1)
    assert verdict.kept
    assert judge(WORN, np.full_like(labels, UNLABELLED), {"prompts": never, "probes": always}, alone(100)) is None


@pytest.mark.parametrize(("complete", "kept"), [(False, False), (True, True)])
def test_silence_about_what_no_tag_names_earns_nothing(complete: bool, kept: bool) -> None:
    labels = np.zeros((100, len(WORN.values)), dtype=np.int64)
    labels[:, 0] = 1
    prompts = np.zeros(labels.shape)
    prompts[:, :2] = 0.9
    silent = np.where(labels == 1, prompts, 0.0)
    verdict = judge(WORN, labels, {"prompts": prompts, "probes": silent}, alone(100), complete)
    assert verdict is not None
    assert (verdict.prompts.utility, verdict.probes.utility) == (0.0, 1.0)
    assert verdict.kept == kept


def test_what_is_only_tagged_where_it_stands_out_is_not_kept() -> None:
    """Red is always tagged, black never: a probe that knows red alone is right on all tags."""
    items = [Item(str(n), text=("Red", "Black")[n % 2]) for n in range(200)]
    labels = np.array([HAIR.order["Red"] if item.text == "Red" else UNLABELLED for item in items])
    prompts = scores_of(Says(0.8), items, [HAIR])["hair_color"]
    probes = np.zeros_like(prompts)
    probes[:, HAIR.order["Red"]] = 0.9
    verdict = judge(HAIR, labels, {"prompts": prompts, "probes": probes}, alone(200))
    assert verdict is not None
    assert verdict.gain > 0.1
    assert verdict.net < 0
    assert not verdict.kept


def test_what_prompts_cannot_vouch_for_is_not_kept() -> None:
    labels = np.where(np.arange(200) < 40, 0, UNLABELLED)
    probes = np.zeros((200, len(HAIR.values)))
    probes[:, 0] = 0.9
    silent = np.zeros_like(probes)
    verdict = judge(HAIR, labels, {"prompts": silent, "probes": probes}, alone(200))
    assert verdict is not None
    assert verdict.gain == 1.0
    assert not verdict.kept
