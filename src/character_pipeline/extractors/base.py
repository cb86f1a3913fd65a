"""The one interface that every extractor implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from character_pipeline.data import Evidence, Item

Need = Literal["text", "image", "embedding"]


@runtime_checkable
class PipelineStage(Protocol):
    """Reads items and claims what it sees in them.

    Attributes:
        name: short and stable; with `version` it names the source of the evidence ("tag_parser/1").
        version: changes whenever the same input may give another output.
        needs: what an item must have for this stage to be run on it.
    """

    name: str
    version: str
    needs: frozenset[Need]

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        """The evidence for each item of the batch, in its order; independent of what else is in the batch.

        An `ItemError` or any other exception fails this stage, for the items of the batch one by one.
        """
        ...
