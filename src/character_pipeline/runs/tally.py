"""What texts said, and what pictures added to it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from character_pipeline.data import AttributeValue, Processed
from character_pipeline.processing import Stages

REMEMBERED = 16_384


class Tally:
    """Counts items without text, and the values of records by who said them: "text_values" are those that a text says,
    "picture_values" those that only the picture says. The values are counted where pictures are looked at."""

    def __init__(self, stages: Stages) -> None:
        self._lookers = stages.lookers
        # Decisions are shared objects, so most were counted before.
        self._count_cached = lru_cache(maxsize=REMEMBERED)(self._count)

    def count(self, done: Processed, counts: Counter[str]) -> None:
        """Add one result to the counts."""
        counts["textless"] += done.item.text is None
        if not self._lookers:
            return
        for decided in done.result.attributes.attributes.values():
            if decided.values:
                texts, pictures = self._count_cached(decided)
                counts["text_values"] += texts
                counts["picture_values"] += pictures

    def _count(self, decided: AttributeValue) -> tuple[int, int]:
        """How many values a text says, and how many only the picture."""
        claims = [claim for claim in decided.evidence if claim.stance == "is"]
        said = {claim.value for claim in claims if claim.extractor not in self._lookers}
        seen = {claim.value for claim in claims} - said
        return sum(value not in seen for value in decided.values), sum(value in seen for value in decided.values)
