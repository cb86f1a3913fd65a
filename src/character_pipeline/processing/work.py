"""An item on its way through the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from character_pipeline.data import Evidence, Item, PictureFacts, Problem
from character_pipeline.errors import CharpipeError, ItemError
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.processing.decoding import Ticket


@dataclass(slots=True)
class Work:
    """An item on its way through the stages."""

    item: Item
    claims: dict[str, list[Evidence]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    facts: PictureFacts | None = None
    ticket: Ticket | None = None
    """The item's picture, where it is on its way."""
    fresh: dict[str, bytes] = field(default_factory=dict)
    quarantined: bool = False
    bought: tuple[str, ...] | None = None
    """What is worth its cost of its picture, where that was asked."""
    heard: bool = False
    """Whether at least one extractor could work on the item."""

    samples: tuple[str, ...] = ()
    """Which samples of the policy it belongs to."""
    unheard: dict[str, list[Evidence]] = field(default_factory=dict)
    """What an audit saw in a picture that the budget leaves unseen: kept, and not decided by."""

    @property
    def spared(self) -> bool:
        """Whether its picture is not looked at."""
        return self.bought == () and "audit" not in self.samples

    def fail(self, stage: str, error: Exception) -> None:
        self.problems += (problem_of(stage, error),)


def not_the_items_fault(error: Exception) -> bool:
    """Whether an error will meet every item: a model or an extra is not there. It ends the run."""
    return isinstance(error, CharpipeError) and not isinstance(error, ItemError)


def problem_of(stage: str, error: Exception) -> Problem:
    """What a stage raised on one item, as it is recorded."""
    if isinstance(error, ItemError):
        kind = error.kind
    else:
        kind = "out_of_memory" if isinstance(error, MemoryError) else "extractor_failed"
    return Problem(stage, kind, f"{type(error).__name__}: {error}"[:500])


def run_stage(stage: PipelineStage, works: Sequence[Work]) -> None:
    """Run a stage on a batch; if it fails, on each item by itself, so that one item fails alone."""
    try:
        evidence = stage.process([work.item for work in works]) if works else []
        if len(evidence) != len(works):
            raise ItemError("extractor_failed", f"{len(evidence)} answers for {len(works)} items")
        for work, found in zip(works, evidence, strict=True):
            work.heard = True
            for claim in found:
                work.claims.setdefault(claim.attribute, []).append(claim)
    except Exception as error:
        if not_the_items_fault(error):
            raise
        if len(works) > 1:
            for work in works:
                run_stage(stage, [work])
        else:
            works[0].fail(stage.name, error)
