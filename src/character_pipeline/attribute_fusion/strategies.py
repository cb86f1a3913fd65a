"""From what sources say of an attribute to a probability for each value: the fusion strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from character_pipeline.attribute_fusion.ballots import Ballot
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.data import STATEMENT, Evidence
from character_pipeline.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from character_pipeline.rl_optimizer.choices import Choice

    Floats = NDArray[np.float64]

Support = dict[str, float]
"""For each value, how probable it is that it is right, taken by itself."""

MOST_CERTAIN = 0.999
ENTRY_POINTS = "character_pipeline.strategies"
"""Other packages offer strategies under this entry-point group: objects, or classes that need no arguments."""


@runtime_checkable
class Strategy(Protocol):
    """One way of weighing what sources say."""

    @property
    def name(self) -> str:
        """What the setting `attribute_fusion.fusion_strategy` calls it."""
        ...

    @property
    def texts_first(self) -> bool:
        """Whether pictures are heard only where they add to what a text says, or agree with it."""
        ...

    @property
    def settles(self) -> bool:
        """Whether its probabilities have weighed contradictions already; of others, a strong second value makes one."""
        ...

    def support(self, ballot: Ballot) -> Floats:
        """How probable each value is, shape (items, values), each in [0, 1]; 0 for a value that nobody states.

        The row of an item must not depend on the other items of the ballot.
        """
        ...


class Weighed(NamedTuple):
    """What a strategy says of one attribute of N items: a probability for each value, (N, V), for each item the least
    from which a value is said, (N,), and where it chose between ways of deciding, which."""

    support: Floats
    least: Floats
    choices: Sequence[Choice | None] | None = None


@runtime_checkable
class WholeStrategy(Strategy, Protocol):
    """A strategy that looks at all attributes of an item together."""

    def weigh_all(self, ballots: Mapping[str, Ballot]) -> Mapping[str, Weighed]:
        """By attribute, for ballots by attribute, all of the same items."""
        ...


@dataclass(frozen=True)
class ConfidenceWeighted:
    """Each value's probability is one minus the chance that all who state it are wrong.

    Sources err independently of each other; the claims of one source do not, so its strongest counts alone.
    """

    name: str = "confidence_weighted"
    texts_first: bool = False
    settles: bool = False

    def support(self, ballot: Ballot) -> Floats:
        import numpy as np

        found: Floats = np.minimum(1.0 - np.prod(1.0 - ballot.scores, axis=1), MOST_CERTAIN)
        return found


@dataclass(frozen=True)
class MajorityVoting:
    """Every source votes for the value that it finds most probable (of a list: for each that is more probable than
    not), whatever its confidence; a value has the share of the votes that were cast."""

    name: str = "majority_voting"
    texts_first: bool = False
    settles: bool = True

    def support(self, ballot: Ballot) -> Floats:
        import numpy as np

        spoke = ballot.scores.max(axis=2, initial=0.0) > 0
        best = ballot.scores == ballot.scores.max(axis=2, keepdims=True, initial=0.0)
        votes = (best if not ballot.attribute.many else ballot.scores >= 0.5) & (ballot.scores > 0)
        found: Floats = votes.sum(axis=1) / np.maximum(spoke.sum(axis=1), 1)[:, None]
        return np.minimum(found, MOST_CERTAIN)


BUILT_IN: tuple[Strategy, ...] = (
    ConfidenceWeighted(),
    ConfidenceWeighted("hierarchical", texts_first=True),
    MajorityVoting(),
)
LEARNED = ("ensemble", "bayesian")


def list_strategies() -> list[str]:
    """The names that `find_strategy` knows."""
    return [*(one.name for one in BUILT_IN), *LEARNED, *(point.name for point in entry_points(group=ENTRY_POINTS))]


def find_strategy(name: str, weights: Callable[[], Weights] = Weights) -> Strategy:
    """The strategy of this name, of the package or of a plugin. Raises ConfigError that lists what there is.

    Args:
        weights: reads what was learned, for the strategies that need it.
    """
    built_in = {one.name: one for one in BUILT_IN}
    if name in built_in:
        return built_in[name]
    if name in LEARNED:
        return _learned(name, weights())
    plugins = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name not in plugins:
        allowed = ", ".join(list_strategies())
        raise ConfigError(f"attribute_fusion.fusion_strategy '{name}' is not in this version. Allowed: {allowed}")
    made = plugins[name].load()
    found: Strategy = made() if isinstance(made, type) else made
    return found


def _learned(name: str, weights: Weights) -> Strategy:
    from character_pipeline.attribute_fusion.bayesian import Bayesian
    from character_pipeline.attribute_fusion.ensemble import Ensemble

    calibration = weights.calibration()
    return (
        Ensemble(calibration, weights.all_stacks())
        if name == "ensemble"
        else Bayesian(calibration, weights.all_habits())
    )


def compete(support: Mapping[str, float]) -> Support:
    """The probabilities of values of which only one can be right, in falling order: their odds, normalised.

    What is left to no value at all takes part as well, so a lone value keeps the probability it had.
    """
    odds = {value: p / (1.0 - p) for value, p in support.items()}
    total = 1.0 + sum(odds.values())
    return {value: part / total for value, part in rank(odds).items()}


def rank(support: Mapping[str, float]) -> Support:
    """In falling order."""
    return dict(sorted(support.items(), key=lambda pair: (-pair[1], pair[0])))


def contradict(stated: Iterable[Evidence]) -> bool:
    """Whether different values are stated, and not only hinted at."""
    return len({claim.value for claim in stated if claim.score >= STATEMENT}) > 1


def strongest(claims: Iterable[Evidence]) -> float:
    return max((claim.score for claim in claims), default=0.0)
