"""Labelled items whose tags are bad in every second one, which their other tags betray."""

from __future__ import annotations

from typing import Any

import numpy as np

from character_pipeline.data import Evidence
from character_pipeline.evaluation.gold import Gold
from character_pipeline.vocabulary import Attribute, load_vocabulary

VOCABULARY = load_vocabulary()
TOLD = ("gender", "hair_color", "hair_length", "eye_color", "accessories")
Claims = dict[str, list[Evidence]]


def make_gold(count: int, seed: int = 0, shuffled: bool = False) -> Gold:
    """Items, one character each.

    Args:
        shuffled: whether the truth of each item is that of another.
    """
    rng = np.random.default_rng(seed)
    made = [_item(number, rng) for number in range(count)]
    truths, claims = [truth for truth, _ in made], [some for _, some in made]
    if shuffled:
        order = rng.permutation(count)
        truths = [
            {**truth, "attributes": truths[other]["attributes"]} for truth, other in zip(truths, order, strict=True)
        ]
    return Gold(VOCABULARY, truths, claims)


def _item(number: int, rng: np.random.Generator) -> tuple[dict[str, Any], Claims]:
    poor = number % 2 == 0
    true: dict[str, Any] = {}
    claims: Claims = {"people": [Evidence("people", "single", 0.9, "tag_parser/1", "solo")]}
    for key in TOLD:
        attribute = VOCABULARY.attributes[key]
        value = str(rng.choice(attribute.values[:4]))
        true[attribute.label] = [value] if attribute.many else value
        claims[key] = [*_tags(attribute, value, poor, rng), *_seen(attribute, value, rng)]
    return {"item_id": str(number), "people": "single", "character": str(number), "attributes": true}, claims


def _tags(attribute: Attribute, value: str, poor: bool, rng: np.random.Generator) -> list[Evidence]:
    if rng.random() < 0.3:
        return []
    said = str(rng.choice(attribute.values[:4])) if poor and rng.random() < 0.8 else value
    found = [Evidence(attribute.key, said, 0.95, "tag_parser/1", said)]
    if poor and rng.random() < 0.3:
        other = str(rng.choice([one for one in attribute.values[:4] if one != said]))
        found.append(Evidence(attribute.key, other, 0.95, "tag_parser/1", other))
    return found


def _seen(attribute: Attribute, value: str, rng: np.random.Generator) -> list[Evidence]:
    """The surer the model is, the more often it is right."""
    sure = float(rng.uniform(0.35, 0.98))
    said = value if rng.random() < sure else str(rng.choice(attribute.values[:4]))
    return [Evidence(attribute.key, said, round(sure, 3), "clip_analyzer/1", said)]
