"""From the records of a database to what those of one character agree on, and to the odd ones out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from character_pipeline.data import CharacterAttributes, ExtractionResult
from character_pipeline.database.identity import DUPLICATES, read_note
from character_pipeline.database.profiles import PRIOR, Member, Profile, Said, read_members, write_profiles
from character_pipeline.database.queries import AT_ONCE, DESCRIBED, QUARANTINED, Filter, find_results
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.reading import read
from character_pipeline.vocabulary import Attribute, Vocabulary
from character_pipeline.vocabulary.character_names import named_character
from character_pipeline.vocabulary.lexicon import load_lexicon

By = Literal["character", "cluster"]
USUAL = 0.8
"""The least share of a value that is the rule; others than it are odd."""
RARE = 0.05
LEAST_SUPPORT = 10
"""Items of which one may be the odd one out."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the items of a profile say of one attribute.

    Attributes:
        support: how many have a value.
        values: each value and how many have it, the most frequent first.
        spread: the share of those that do not have the most frequent value.
        odd: the values that hardly anybody has although most agree on another.
    """

    attribute: str
    label: str
    support: int
    values: tuple[tuple[str, int], ...]
    spread: float
    odd: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Vote:
    """An item, and the content whose copies have one vote together."""

    item_id: str
    name: str
    content: str
    said: Said


def make_profiles(store: Store, by: By = "character") -> list[Profile]:
    """Count what the described items of each character say, write that down in the database, and return it, the
    largest first. Copies of a picture have one vote together, by --by cluster only those with the same content.

    Raises ConfigError where clusters are asked for and nobody looked for them.
    """
    if by == "cluster" and read_note(store.db, DUPLICATES) is None:
        raise ConfigError(f"nobody looked for duplicates in {store.path}: charpipe dedupe {store.path} does that")
    with store.lock():
        votes = sorted(_votes(store, by), key=lambda vote: vote.item_id)
        voters: dict[tuple[str, str], Said] = {}
        profiles: dict[str, Profile] = {}
        for vote in votes:
            profile = profiles.setdefault(vote.name, Profile(vote.name))
            profile.items += 1
            if (vote.name, vote.content) not in voters:
                voters[vote.name, vote.content] = vote.said
                profile.add(vote.said)
        found = sorted(profiles.values(), key=lambda one: (-one.items, one.name))
        members = (Member(vote.item_id, vote.name, voters[vote.name, vote.content]) for vote in votes)
        write_profiles(store, found, members, by)
    return found


def _votes(store: Store, by: By) -> Iterator[_Vote]:
    """One of each described item that belongs to a profile."""
    kept = dict(store.db.execute("SELECT i.item_id, k.item_id FROM duplicates d JOIN items i ON i.id = d.item "
                                 "JOIN items k ON k.id = d.kept"))  # fmt: skip
    name_of = _namer(store.vocabulary)
    keys = {attribute.label: attribute.key for attribute in store.vocabulary.attributes.values()}
    results = find_results(store, Filter())
    while chunk := list(islice(results, AT_ONCE)):
        texts = _texts(store, chunk)
        for result in chunk:
            item_id, record = result.item_id, result.attributes
            name = kept.get(item_id) if by == "cluster" else name_of(texts.get(item_id))
            if name is not None and record.status in DESCRIBED:
                content = record.content_hash if by == "cluster" else kept.get(item_id, record.content_hash)
                yield _Vote(item_id, name, content, _said(record, keys))


def _texts(store: Store, results: list[ExtractionResult]) -> dict[str, str | None]:
    query = f"""SELECT i.item_id, d.text FROM items i JOIN details d ON d.item = i.id
                WHERE i.item_id IN ({", ".join("?" * len(results))})"""
    return dict(store.db.execute(query, [result.item_id for result in results]))


def _namer(vocabulary: Vocabulary) -> Callable[[str | None], str | None]:
    lexicon = load_lexicon(vocabulary.folder)
    return lambda text: named_character(read(text, lexicon.knows).tags, lexicon) if text and "(" in text else None


def _said(record: CharacterAttributes, keys: dict[str, str]) -> dict[str, list[str]]:
    """The values that a record has by its own evidence: what it has from a profile is no vote for that."""
    found = {}
    for label, decided in record.attributes.items():
        own = {claim.value for claim in decided.evidence if claim.stance == "is" and claim.extractor != PRIOR}
        values = [value for value in decided.values if value in own]
        if decided.state == "known" and values:
            found[keys[label]] = values
    return found


def consensus(profile: Profile, vocabulary: Vocabulary) -> list[Consensus]:
    """What a profile says of each attribute that has votes, in the order of the vocabulary."""
    attributes = [one for one in vocabulary.attributes.values() if profile.support[one.key]]
    return [_consensus(profile, attribute) for attribute in attributes]


def _consensus(profile: Profile, attribute: Attribute) -> Consensus:
    support, counts = profile.support[attribute.key], profile.votes[attribute.key]
    values = tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    spread = 1 - values[0][1] / support
    odd = _odd(counts, support) if not attribute.many else ()
    return Consensus(attribute.key, attribute.label, support, values, round(spread, 4), odd)


def _odd(counts: Counter[str], support: int) -> tuple[tuple[str, int], ...]:
    """Of an attribute with one value."""
    if support < LEAST_SUPPORT or max(counts.values()) < USUAL * support:
        return ()
    rare = [(value, count) for value, count in counts.items() if 0 < count <= max(1.0, RARE * support)]
    return tuple(sorted(rare, key=lambda pair: (pair[1], pair[0])))


def find_items(store: Store, name: str, attribute: str, value: str, most: int = 3) -> list[str]:
    """Items of a profile that say a value, the first by their ids."""
    listed = (
        "SELECT 1 FROM items i JOIN records r ON r.item = i.id WHERE i.item_id = ? AND i.gone = 0 AND r.status <> ?"
    )
    found = (item_id for item_id, said in read_members(store.db, name) if value in said.get(attribute, ()))
    shown = (one for one in found if store.db.execute(listed, (one, QUARANTINED)).fetchone())
    return list(islice(shown, most))
