"""The heart of the pipeline: items in, results out. Pure: the same items give the same results, in any batches."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from character_pipeline import __version__
from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.gates import count_people, is_quarantined
from character_pipeline.config import PipelineConfig
from character_pipeline.data import (
    AttributeValue,
    CharacterAttributes,
    Evidence,
    ExtractionResult,
    Item,
    People,
    PictureFacts,
    Problem,
    Processed,
    Status,
)
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.input_loader import ImageOptions, load_image
from character_pipeline.schema import RecordSchema
from character_pipeline.vocabulary import Vocabulary

GATES = ("people", "safety")
DERIVED_VERSION = "1"
"""Changes whenever the same evidence may lead to another record."""


@dataclass(slots=True)
class Work:
    """An item on its way through the stages."""

    item: Item
    claims: dict[str, list[Evidence]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    facts: PictureFacts | None = None
    quarantined: bool = False
    heard: bool = False
    """Whether at least one extractor could work on the item."""


class Stages:
    """Everything that turns items into results, wired once and used for any number of shards."""

    def __init__(
        self,
        config: PipelineConfig,
        vocabulary: Vocabulary,
        extractors: Sequence[PipelineStage],
        fuser: Fuser | None = None,
    ) -> None:
        self.config = config
        self.vocabulary = vocabulary
        self.text_stages = [stage for stage in extractors if stage.needs <= {"text"}]
        self.image_stages = [stage for stage in extractors if not stage.needs <= {"text"}]
        self.fuser = fuser or Fuser(vocabulary, config.attribute_fusion)
        self.schema = RecordSchema(vocabulary)
        loader = config.input_loader
        self.image_options = ImageOptions(loader.max_pixels, loader.jpeg_draft)
        self.fingerprint = fingerprint(config, vocabulary, extractors)


def fingerprint(config: PipelineConfig, vocabulary: Vocabulary, extractors: Sequence[PipelineStage]) -> str:
    """Names all that decides what a record says: data files, versions, settings."""
    decoding = {"max_pixels", "max_file_bytes", "max_text_bytes", "check_pictures", "jpeg_draft"}
    parts = [
        __version__,
        DERIVED_VERSION,
        vocabulary.digest,
        *sorted(f"{stage.name}/{stage.version}" for stage in extractors),
        config.attribute_fusion.model_dump_json(),
        config.safety.model_dump_json(),
        config.input_loader.model_dump_json(include=decoding),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


Known = Mapping[str, PictureFacts]
"""Facts on pictures, by content hash, that were decoded before; they are not decoded again without need."""


def process_shard(items: Iterable[Item], stages: Stages, known: Known | None = None) -> Iterator[Processed]:
    """The result of each item, in their order."""
    waiting = iter(items)
    while batch := list(islice(waiting, stages.config.run.batch_size)):
        yield from _process_batch(batch, stages, known or {})


def _process_batch(items: Sequence[Item], stages: Stages, known: Known) -> list[Processed]:
    start = time.perf_counter()
    batch = [Work(item, problems=item.problems) for item in items]
    for stage in stages.text_stages:
        _run(stage, [work for work in batch if work.item.text is not None])
    for work in batch:
        if stages.config.safety.quarantine and "safety" in work.claims:
            work.quarantined = is_quarantined(work.claims["safety"])
    visible = [work for work in batch if not work.quarantined]
    for work in visible:
        _look(work, stages, known)
    for stage in stages.image_stages:
        _run(stage, [work for work in visible if work.item.picture is not None])
    seconds = (time.perf_counter() - start) / len(batch)
    return [_conclude(work, stages, seconds) for work in batch]


def _run(stage: PipelineStage, works: Sequence[Work]) -> None:
    """Run a stage on a batch; if it fails, on each item by itself, so that one item fails alone."""
    try:
        evidence = stage.process([work.item for work in works]) if works else []
        if len(evidence) != len(works):
            raise ItemError("extractor_failed", f"{len(evidence)} answers for {len(works)} items")
        for work, found in zip(works, evidence, strict=True):
            work.heard = True
            for claim in found:
                work.claims.setdefault(claim.attribute, []).append(claim)
    except Exception as error:  # noqa: BLE001 - recorded as a row's problem
        if len(works) > 1:
            for work in works:
                _run(stage, [work])
        else:
            kind = error.kind if isinstance(error, ItemError) else "extractor_failed"
            works[0].problems += (Problem(stage.name, kind, f"{type(error).__name__}: {error}"[:500]),)


def _look(work: Work, stages: Stages, known: Known) -> None:
    """Decode the picture of an item, where it is to be checked or a stage needs it."""
    work.facts = known.get(work.item.content_hash)
    needed = bool(stages.image_stages) or (work.facts is None and stages.config.input_loader.check_pictures)
    if work.item.image is None or not needed:
        return
    try:
        picture = load_image(work.item.image, stages.image_options)
        work.facts = PictureFacts(picture.width, picture.height, picture.format)
        if stages.image_stages:
            work.item = replace(work.item, picture=picture.image)
    except ItemError as error:
        work.problems += (Problem("image", error.kind, str(error)),)


def _conclude(work: Work, stages: Stages, seconds: float) -> Processed:
    """The record of an item, checked; one that breaks the schema becomes a failure with a reason."""
    people = tuple(work.claims.get("people", ()))
    gate = count_people(people, stages.config.attribute_fusion.describe_solo_focus)
    status = _status(work, gate.people)
    attributes = stages.fuser.decide(work.claims) if status in {"ok", "partial"} else stages.fuser.nothing
    record = _record(work, stages, status, gate.people, attributes)
    try:
        stages.schema.check(record)
    except ItemError as error:
        work.problems += (Problem("record", error.kind, str(error)),)
        record = _record(work, stages, "failed", gate.people, stages.fuser.nothing)
    item = replace(work.item, picture=None) if work.item.picture is not None else work.item
    return Processed(item, ExtractionResult(item.item_id, record, seconds), work.facts)


def _record(
    work: Work, stages: Stages, status: Status, people: People, attributes: dict[str, AttributeValue]
) -> CharacterAttributes:
    known = [decided.confidence for decided in attributes.values() if decided.state == "known"]
    return CharacterAttributes(
        attributes=attributes,
        people=people,
        status=status,
        confidence=sum(known) / len(known) if known else 0.0,
        item_id=work.item.item_id,
        content_hash=work.item.content_hash,
        fingerprint=stages.fingerprint,
        errors=work.problems,
        reasons=tuple(claim for gate in GATES for claim in work.claims.get(gate, ())),
    )


def _status(work: Work, people: People) -> Status:
    if work.quarantined:
        return "quarantined"
    if work.problems and not work.heard and work.facts is None:
        return "failed"
    if people == "multiple":
        return "ambiguous"
    if people == "none":
        return "no_character"
    return "partial" if work.problems else "ok"
