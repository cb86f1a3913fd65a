"""Which items are an audit sample, and which explore: by their ids and a seed alone, never by time, order or batch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from character_pipeline.rl_optimizer.choices import ACTIONS, SAMPLES, Choice


@dataclass(frozen=True)
class Sampler:
    """Draws samples of items, and actions to log.

    Attributes:
        audit, explore: the shares of items in each sample.
        epsilon: of the items that explore, the share of decisions for which any action is drawn.
    """

    audit: float
    explore: float
    epsilon: float
    seed: int

    def samples(self, item_id: str) -> tuple[str, ...]:
        """Which of `SAMPLES` an item belongs to; one without a name, which is nowhere kept, to none."""
        shares = zip(SAMPLES, (self.audit, self.explore), strict=True)
        return tuple(name for name, share in shares if item_id and self._chance(name, item_id) < share)

    def draw(self, item_id: str, attribute: str, choice: Choice) -> Choice:
        """What is logged beside the choice for an attribute: epsilon-greedy over all actions."""
        drawn = choice.action
        if self._chance("dice", item_id, attribute) < self.epsilon:
            drawn = ACTIONS[int(self._chance("which", item_id, attribute) * len(ACTIONS))]
        least = self.epsilon / len(ACTIONS)
        return replace(choice, drawn=drawn, propensity=least + (1.0 - self.epsilon) * (drawn == choice.action))

    def _chance(self, *names: str) -> float:
        """A number in [0, 1) that is drawn by these names."""
        digest = hashlib.blake2b(json.dumps([self.seed, *names]).encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53
