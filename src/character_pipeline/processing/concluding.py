"""From the claims on an item to its record."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from character_pipeline.attribute_fusion.gates import count_people, heed_emptiness
from character_pipeline.data import (
    EMPTY,
    AttributeValue,
    CharacterAttributes,
    ExtractionResult,
    People,
    Problem,
    Processed,
    Status,
)
from character_pipeline.errors import ItemError
from character_pipeline.processing.stages import Stages
from character_pipeline.processing.work import Work
from character_pipeline.rl_optimizer.choices import Dealing

GATES = ("people", "safety", EMPTY)
DESCRIBED: frozenset[Status] = frozenset({"ok", "partial"})
"""The statuses of items whose attributes are decided."""


def conclude(works: Sequence[Work], stages: Stages, seconds: float) -> list[Processed]:
    """The record of each item.

    Args:
        seconds: that each item took.
    """
    judged = [(work, *_judge(work, stages)) for work in works]
    described = [work for work, status, _ in judged if status in DESCRIBED]
    found = stages.fuser.decide_all([work.claims for work in described])
    if stages.prior is not None:
        stages.prior.fill([work.item for work in described], found)
    decided = iter([_sampled(work, stages, one) for work, one in zip(described, found, strict=True)])
    return [
        _finish(work, stages, status, people, next(decided) if status in DESCRIBED else stages.fuser.nothing, seconds)
        for work, status, people in judged
    ]


def _judge(work: Work, stages: Stages) -> tuple[Status, People]:
    work.claims = heed_emptiness(work.claims, stages.lookers)
    if work.bought == () and not work.spared:
        _leave_unheard(work, frozenset(stage.name for stage in stages.reading_stages))
    people = tuple(work.claims.get("people", ()))
    gate = count_people(people, stages.config.attribute_fusion.describe_solo_focus, stages.lookers)
    return _status(work, gate.people), gate.people


def _leave_unheard(work: Work, bought: Set[str]) -> None:
    """Set aside what only an audit saw: an item gets the answer that it would have got without the audit."""
    for key, claims in work.claims.items():
        work.unheard[key] = [claim for claim in claims if claim.extractor in bought]
    told = {key: [claim for claim in some if claim not in work.unheard[key]] for key, some in work.claims.items()}
    work.claims = {key: claims for key, claims in told.items() if claims}


def _sampled(work: Work, stages: Stages, decided: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
    """With what an audit saw beside the evidence, and with the actions that exploring logs."""
    if stages.sampler is not None and "explore" in work.samples:
        for label, one in decided.items():
            if one.choice is not None:
                decided[label] = replace(one, choice=stages.sampler.draw(work.item.item_id, label, one.choice))
    for key, claims in work.unheard.items():
        if claims and key in stages.vocabulary.attributes:
            label = stages.vocabulary.attributes[key].label
            decided[label] = replace(decided[label], evidence=(*decided[label].evidence, *claims))
    return decided


def _finish(
    work: Work,
    stages: Stages,
    status: Status,
    people: People,
    attributes: dict[str, AttributeValue],
    seconds: float,
) -> Processed:
    """The record, checked; one that breaks the schema becomes a failure with a reason."""
    record = _record(work, stages, status, people, attributes)
    try:
        stages.schema.check(record)
    except ItemError as error:
        work.problems += (Problem("record", error.kind, str(error)),)
        record = _record(work, stages, "failed", people, stages.fuser.nothing)
    item = work.item
    if item.picture is not None or item.readings:
        item = replace(item, picture=None, readings={})
    return Processed(item, ExtractionResult(item.item_id, record, seconds), work.facts, work.fresh)


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
        dealing=Dealing(work.bought, work.samples) if work.bought is not None or work.samples else None,
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
