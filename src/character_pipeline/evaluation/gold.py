"""Labelled items with all that was claimed of them: what fusion is fitted on and judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.data import CharacterAttributes, Claims, Evidence
from character_pipeline.database.bitmaps import mask_of
from character_pipeline.database.feedback import all_feedback, feedback_as_truth
from character_pipeline.database.profiles import PRIOR
from character_pipeline.database.queries import find_mask, find_numbers, find_results, get_result, parse_filter
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.metrics import Flags, Ints
from character_pipeline.evaluation.sources import TEXT_SOURCES
from character_pipeline.evaluation.truth import read_truth, true_values
from character_pipeline.vocabulary import Attribute, Vocabulary

UNJUDGED = -1
MOST_UNLABELLED = 20_000
"""Items that are enough where nobody labelled them; they are all in memory at once."""


@dataclass(frozen=True)
class Gold:
    """N items that show one character each, their truth, and the claims on them.

    Attributes:
        truths: their lines of truth.
        claims: by attribute; nothing for an item that the gates did not let through.
    """

    vocabulary: Vocabulary
    truths: Sequence[Mapping[str, Any]]
    claims: Sequence[Claims]

    def __len__(self) -> int:
        return len(self.truths)

    def take(self, rows: Ints | Flags) -> Self:
        places = np.arange(len(self))[rows]
        return type(self)(self.vocabulary, [self.truths[p] for p in places], [self.claims[p] for p in places])

    @cached_property
    def groups(self) -> Ints:
        """A number for each character, shape (N,); an item whose truth names none is a group of its own."""
        names = [str(line.get("character") or f"\0{number}") for number, line in enumerate(self.truths)]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)

    def column(self, key: str) -> list[str]:
        """What the lines of truth say under a key, such as the style."""
        return [str(line.get(key, "")) for line in self.truths]

    @cached_property
    def lookers(self) -> frozenset[str]:
        """The sources that look at pictures."""
        found = {claim.extractor for claims in self.claims for some in claims.values() for claim in some}
        return frozenset(found - TEXT_SOURCES)

    def ballot(self, attribute: Attribute, fuser: Fuser) -> tuple[Ballot, Flags]:
        """What a fuser's strategy is asked of each item, and whether it is."""
        ballot, asked = fuser.ballot(attribute, self.claims)
        return ballot, np.array(asked, dtype=np.bool_)

    def one(self, attribute: Attribute) -> Ints:
        """The place of the true value, the number of values where none is true or visible, or UNJUDGED; shape (N,)."""
        found = [true_values(line, attribute.label) for line in self.truths]
        return np.array([_place(values, attribute) for values in found], dtype=np.int64)

    def each(self, attribute: Attribute) -> Ints:
        """1 where a value is true, 0 where it is not, or UNJUDGED; shape (N, V). Also for one-valued attributes."""
        rows = np.full((len(self), len(attribute.values)), UNJUDGED, dtype=np.int64)
        for row, line in enumerate(self.truths):
            values = true_values(line, attribute.label)
            if values is not None:
                rows[row] = 0
                rows[row, [attribute.order[value] for value in values if value in attribute.order]] = 1
        return rows


def _place(values: set[str] | None, attribute: Attribute) -> int:
    if values is None or len(values) > 1:
        return UNJUDGED
    return attribute.order[next(iter(values))] if values else len(attribute.values)


def read_gold(store: Store, path: Path | None) -> Gold:
    """The items of a truth file that show one character and are in a database.

    Args:
        path: the file; None for the feedback that is in the database.

    Raises ConfigError where the truth cannot be read, or none of its items is there.
    """
    where = "no feedback is" if path is None else f"no item of {path} that shows one character is"
    return gather_gold(store, feedback_as_truth(store) if path is None else read_truth(path), where)


def gather_gold(store: Store, lines: Iterable[Mapping[str, Any]], missing: str) -> Gold:
    """The items of some lines of truth, with their claims. Raises ConfigError where none is in the database."""
    truths, claims = [], []
    for truth in lines:
        result = get_result(store, truth["item_id"]) if truth.get("people", "single") == "single" else None
        if result is not None:
            truths.append(truth)
            claims.append(claims_on(result.attributes, store.vocabulary))
    if not truths:
        raise ConfigError(f"{missing} in the database: extract the items, or say what is true with charpipe feedback")
    return Gold(store.vocabulary, truths, claims)


def read_unlabelled(store: Store) -> Gold:
    """Items of a database that show one character, with no truth but their claims; same contents are one character.

    Of more than MOST_UNLABELLED every so many are taken. Raises ConfigError where there is none.
    """
    found = parse_filter(store, "people=single")
    numbers = list(find_numbers(store, found))
    chosen = numbers[:: max(1, -(-len(numbers) // MOST_UNLABELLED))]
    found.within.append(mask_of(chosen, find_mask(store, found)))
    kept = [(one.item_id, one.attributes) for one in find_results(store, found)]
    if not kept:
        raise ConfigError("no item of the database shows one character: extract pictures and texts that do")
    truths = [
        {"item_id": name, "character": record.content_hash, "attributes": {}, "labels": []} for name, record in kept
    ]
    return Gold(store.vocabulary, truths, [claims_on(record, store.vocabulary) for _, record in kept])


@dataclass(frozen=True)
class Lessons:
    """Labelled items to go on learning from.

    Attributes:
        fresh: which have new labels, (N,).
        met: which have old ones, (N,).
    """

    gold: Gold
    fresh: Flags
    met: Flags


def read_lessons(store: Store, path: Path | None, since: float) -> Lessons:
    """All labelled items: of the feedback that was given after a moment the labels are new; those of earlier feedback
    and of a truth file are old. On an attribute of an item, feedback goes before the file.

    Raises ConfigError where the truth cannot be read, or none of the items is there.
    """
    lines = {str(line["item_id"]): line for line in read_truth(path)} if path is not None else {}
    met, fresh = set(lines), set[str]()
    for one in all_feedback(store):
        (fresh if one.given > since else met).add(one.item_id)
    for line in feedback_as_truth(store):
        lines[line["item_id"]] = overlay(lines[line["item_id"]], line) if line["item_id"] in lines else line
    gold = gather_gold(store, list(lines.values()), "no labelled item that shows one character is")
    names = gold.column("item_id")
    return Lessons(gold, np.array([name in fresh for name in names]), np.array([name in met for name in names]))


def overlay(line: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A line of truth with what another says of some attributes in place of its own."""
    kept = {label: value for label, value in line.get("attributes", {}).items() if label not in said["labels"]}
    labels = {"labels": [*dict.fromkeys([*line["labels"], *said["labels"]])]} if "labels" in line else {}
    return {**line, "attributes": {**kept, **said["attributes"]}, **labels}


def claims_on(record: CharacterAttributes, vocabulary: Vocabulary) -> dict[str, list[Evidence]]:
    """All stored evidence of a record, by attribute or gate, but for what profiles added when all was decided."""
    claims: dict[str, list[Evidence]] = {}
    for key, attribute in vocabulary.attributes.items():
        own = [claim for claim in record.attributes[attribute.label].evidence if claim.extractor != PRIOR]
        if own:
            claims[key] = own
    for claim in record.reasons:
        claims.setdefault(claim.attribute, []).append(claim)
    return claims
