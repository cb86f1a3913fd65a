"""How to learn a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass

from character_pipeline.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """How to learn. The first three are those of the section `rl_optimizer`; counts are of transitions.

    Attributes:
        epsilon: the share of random actions in training, once it has fallen from `epsilon_start` over `explore`.
        anneal: over which the learning rate falls to a hundredth; 0: it stays.
        gamma: what a reward one step later is worth; 1: as much as now.
        hidden: widths of the hidden layers.
        capacity: of the replay buffer; older transitions are forgotten.
        warmup: seen before the first step of learning.
        learn_every: seen for each further one.
        target_rate: the share of the way that target weights go towards the others, a step.
        largest_error: beyond it errors count linearly, no longer squared (Huber). Returns should scatter less than that
            around their mean: of a wider scatter it is something between the mean and the median that is learnt.
        largest_gradient: the norm to which longer gradients are cut.
        bounds: the least and the greatest return that can be; targets are clamped to them. None: not known.
    """

    learning_rate: float = 0.001
    epsilon: float = 0.1
    batch_size: int = 32
    anneal: int = 0
    gamma: float = 1.0
    hidden: tuple[int, ...] = (64, 64)
    epsilon_start: float = 1.0
    explore: int = 10_000
    capacity: int = 100_000
    warmup: int = 1_000
    learn_every: int = 4
    target_rate: float = 0.01
    largest_error: float = 1.0
    largest_gradient: float = 10.0
    bounds: tuple[float, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ConfigError that names a setting out of its range."""
        shares = ("epsilon", "epsilon_start", "gamma", "target_rate")
        wrong = [name for name in shares if not 0 <= getattr(self, name) <= 1]
        counts = ("learning_rate", "batch_size", "capacity", "learn_every", "largest_error", "largest_gradient")
        wrong += [name for name in counts if not 0 < getattr(self, name) < math.inf]
        wrong += [name for name in ("anneal", "explore", "warmup", "seed") if getattr(self, name) < 0]
        wrong += ["hidden"] * (not self.hidden or min(self.hidden) < 1)
        wrong += ["bounds"] * (self.bounds is not None and not self.bounds[0] <= self.bounds[1])
        if wrong:
            raise ConfigError(f"the learner's setting '{wrong[0]}' is out of its range: {getattr(self, wrong[0])!r}")

    def epsilon_after(self, transitions: int) -> float:
        """The share of random actions after so many transitions: falls along a line, then stays."""
        left = max(0.0, 1 - transitions / self.explore) if self.explore else 0.0
        return self.epsilon + (self.epsilon_start - self.epsilon) * left

    def rate_after(self, transitions: int) -> float:
        """The learning rate after so many transitions."""
        return self.learning_rate * (max(0.01, 1 - transitions / self.anneal) if self.anneal else 1.0)
