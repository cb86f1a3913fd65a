"""What the texts of a database state of its pictures: labels that cost nobody anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import STATEMENT, CharacterAttributes, Evidence, Item
from character_pipeline.database.queries import Filter, find_results
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import VectorCache
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.metrics import Flags, Ints
from character_pipeline.evaluation.sources import claims_of
from character_pipeline.evaluation.truth import read_truth
from character_pipeline.processing import Stages
from character_pipeline.vocabulary import Attribute, Vocabulary

UNLABELLED = -1
MOST_ITEMS = 20_000
"""Pictures that are learnt from: more teach a linear head little. They are chosen by their content."""
Statements = Mapping[str, Sequence[Evidence]]


@dataclass(frozen=True)
class Tagged:
    """N pictures whose texts state something.

    Attributes:
        items: without texts; what was read in the pictures is in `readings`, where vectors were asked for.
        labels: by attribute. Where it has one value: its place, the number of values where the text says that none can
            be told, or UNLABELLED; shape (N,). Of a list: 1, 0 or UNLABELLED for each value, (N, V).
        groups: a number for each character; all that have the same content are of one, known or not.
    """

    items: Sequence[Item]
    labels: Mapping[str, Ints]
    groups: Ints

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Ints | Flags) -> Self:
        places = np.arange(len(self))[rows]
        labels = {key: found[places] for key, found in self.labels.items()}
        return type(self)([self.items[place] for place in places], labels, self.groups[places])

    def vectors(self, key: str) -> NDArray[np.float16]:
        """What a reader found, shape (N, size)."""
        return np.stack([item.readings[key] for item in self.items])


def read_tagged(store: Store, truth: Path | None = None, most: int = MOST_ITEMS) -> Tagged:
    """The pictures of a database that show one character of which their texts state something.

    Args:
        truth: a truth file that says which items show the same character; nothing else in it is looked at.
        most: more are not taken.
    """
    found = []
    for result in find_results(store, Filter()):
        record = result.attributes
        said = statements(record, store.vocabulary)
        if record.status in {"ok", "partial"} and said:
            found.append((Item(result.item_id, content_hash=record.content_hash), said))
    found = sorted(found, key=lambda pair: _draw(pair[0].content_hash))[:most]
    items = [item for item, _ in found]
    labels = label([said for _, said in found], store.vocabulary)
    return Tagged(items, labels, group(items, _characters(truth)))


def statements(record: CharacterAttributes, vocabulary: Vocabulary) -> dict[str, list[Evidence]]:
    """What the text of a record states, not what it hints at, by attribute."""
    claims = claims_of(record, "text", vocabulary)
    stated = {key: [claim for claim in some if claim.score >= STATEMENT] for key, some in claims.items()}
    return {key: some for key, some in stated.items() if some}


def _draw(digest: str) -> str:
    return hashlib.blake2b(digest.encode(), digest_size=8).hexdigest()


def label(said: Sequence[Statements], vocabulary: Vocabulary) -> dict[str, Ints]:
    """The labels of items by what is stated of them; see `Tagged`."""
    found: dict[str, Ints] = {}
    for key, attribute in vocabulary.attributes.items():
        rule = _each if attribute.many else _one
        found[key] = np.array([rule(one.get(key, ()), attribute) for one in said], dtype=np.int64)
    return found


def _one(stated: Sequence[Evidence], attribute: Attribute) -> int:
    values = {claim.value for claim in stated if claim.stance == "is"}
    stances = {claim.stance for claim in stated}
    if stances and stances <= {"hidden", "absent"}:
        return len(attribute.values)
    if stances != {"is"} or len(values) != 1:
        return UNLABELLED
    return attribute.order.get(values.pop(), UNLABELLED)


def _each(stated: Sequence[Evidence], attribute: Attribute) -> list[int]:
    values = {claim.value for claim in stated if claim.stance == "is"}
    true = values | {other for value in values for other in attribute.refines.get(value, ())}
    # A text that names one thing is taken to name the others too; of one that names nothing, nothing is concluded.
    rest = 0 if values else UNLABELLED
    denied = {claim.value for claim in stated if claim.stance != "is"}
    return [UNLABELLED if value in denied else int(value in true) or rest for value in attribute.values]


def _characters(truth: Path | None) -> dict[str, str]:
    lines: Iterator[Mapping[str, object]] = iter(()) if truth is None else read_truth(truth)
    return {str(line["item_id"]): str(line["character"]) for line in lines if line.get("character")}


def group(items: Sequence[Item], characters: Mapping[str, str]) -> Ints:
    """The group of each item; see `Tagged`."""
    shown = {item.content_hash: characters[item.item_id] for item in items if item.item_id in characters}
    names = [shown.get(item.content_hash, f"\0{item.content_hash}") for item in items]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def with_vectors(tagged: Tagged, store: Store, stages: Stages) -> Tagged:
    """The pictures whose vectors are in the database, with all that the stages' readers found in them.

    Raises ConfigError where there are none.
    """
    cache = VectorCache(store.address, stages.sizes, stages.decoding)
    try:
        found = cache.find([item.content_hash for item in tagged.items])
    finally:
        cache.close()
    known = [stages.sizes.keys() <= found.get(item.content_hash, {}).keys() for item in tagged.items]
    kept = tagged.take(np.array(known, dtype=np.bool_))
    if not len(kept):
        raise ConfigError(
            f"of the {len(tagged):,} pictures in {store.name} whose texts state something, none was read by the model "
            "of the settings: run charpipe extract with the same settings, with clip_analyzer.enabled and "
            "database.enable_caching, or give those of the run with --config"
        )
    items = [Item(i.item_id, content_hash=i.content_hash, readings=found[i.content_hash]) for i in kept.items]
    return Tagged(items, kept.labels, kept.groups)
