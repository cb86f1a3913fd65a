"""Keeps to a budget: which pictures are worth looking at, by what the texts say already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.episodes import answer
from character_pipeline.rl_optimizer.learned import REMEDY, Learned
from character_pipeline.rl_optimizer.learning import buys

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Thrift:
    """Asks the policy, at a price, whether it would buy anything for an item of which only the texts are known.

    Where it would, everything is read: after the first purchase the rest costs little more.
    """

    learned: Learned
    price: float

    def wants_picture(self, ballots: Mapping[str, Ballot]) -> NDArray[np.bool_]:
        """Which of N items, (N,).

        Args:
            ballots: of texts alone, by attribute.
        """
        answers = answer({key: ballots[key] for key in self.learned.keys}, self.learned.judges, [0])
        return buys(self.learned.policy, answers.states[:, :, 0], answers.needs, self.price)


def make_thrift(learned: Learned, budget_ms: float) -> Thrift:
    """For a budget an item, by the costs that the policy was trained with.

    Raises ConfigError where the policy does not say what its items cost.
    """
    budgets = learned.policy.about.provenance.get("budgets")
    if not isinstance(budgets, dict) or not budgets:
        raise ConfigError(f"the policy does not say what its items cost. {REMEDY}")
    try:
        return Thrift(learned, price_for({str(price): float(cost) for price, cost in budgets.items()}, budget_ms))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"what the policy says of the cost of its items makes no sense: {error}. {REMEDY}") from error


def price_for(budgets: Mapping[str, float], budget_ms: float) -> float:
    """The least price at which an item costs no more than a budget; the highest there is where none does.

    Args:
        budgets: by price, the mean cost of an item.
    """
    found = [float(price) for price, cost in budgets.items() if cost <= budget_ms]
    return min(found) if found else max(map(float, budgets))
