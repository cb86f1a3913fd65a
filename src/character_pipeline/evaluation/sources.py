"""What each kind of source would have decided alone: the stored evidence of a record, fused again without the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.gates import count_people
from character_pipeline.config import PipelineConfig
from character_pipeline.data import AttributeValue, CharacterAttributes, Evidence, People
from character_pipeline.database.profiles import PRIOR
from character_pipeline.database.queries import get_result
from character_pipeline.database.store import Store
from character_pipeline.evaluation.truth import read_truth
from character_pipeline.processing.deciding import make_fuser
from character_pipeline.vocabulary import Vocabulary

TEXT_SOURCES = frozenset({"tag_parser", "text_parser"})
"""Extractors that read text; every other one is taken to look at pictures."""
SOURCES = ("text", "picture", "fused")
"""Text alone, pictures alone, and the record as it is."""


@dataclass(frozen=True, slots=True)
class Answers:
    """One labelled item: its line of truth, and what each of SOURCES says of attributes and people."""

    truth: Mapping[str, Any]
    attributes: Mapping[str, Mapping[str, AttributeValue]]
    people: Mapping[str, People]


def read_answers(store: Store, path: Path, styles: Iterable[str] = ()) -> Iterator[Answers]:
    """The items of a truth file that are in the database. Raises ConfigError where the truth cannot be read."""
    config = last_config(store)
    fuser = make_fuser(config, store.vocabulary)
    for truth in read_truth(path, styles):
        result = get_result(store, truth["item_id"])
        if result is not None:
            yield _answers(truth, result.attributes, fuser, config.attribute_fusion.describe_solo_focus)


def last_config(store: Store) -> PipelineConfig:
    """The settings of the run that made the records, with the database where it is now."""
    row = store.db.execute("SELECT config FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    config = PipelineConfig.model_validate(json.loads(row[0])) if row else PipelineConfig()
    here = config.database.model_copy(update={"db_path": store.address})
    return config.model_copy(update={"database": here})


def _answers(truth: Mapping[str, Any], record: CharacterAttributes, fuser: Fuser, describe_focus: bool) -> Answers:
    attributes = {"fused": record.attributes}
    people = {"fused": record.people}
    for source in ("text", "picture"):
        attributes[source] = fuser.decide(claims_of(record, source, fuser.vocabulary))
        gate = tuple(claim for claim in record.reasons if claim.attribute == "people" and kind_of(claim) == source)
        lookers = frozenset(claim.extractor for claim in gate if source == "picture")
        people[source] = count_people(gate, describe_focus, lookers).people
    return Answers(truth, attributes, people)


def claims_of(record: CharacterAttributes, source: str, vocabulary: Vocabulary) -> dict[str, list[Evidence]]:
    """The stored evidence of one kind of source, by attribute."""
    keys = {attribute.label: attribute.key for attribute in vocabulary.attributes.values()}
    found = {
        keys[label]: [claim for claim in decided.evidence if kind_of(claim) == source]
        for label, decided in record.attributes.items()
    }
    return {key: claims for key, claims in found.items() if claims}


def kind_of(claim: Evidence) -> str:
    """ "text", "picture", or "profile": what other pictures of the character say."""
    if claim.extractor == PRIOR:
        return "profile"
    return "text" if claim.extractor in TEXT_SOURCES else "picture"
