"""The fuser that the settings describe, and what names it."""

from __future__ import annotations

import logging
from collections.abc import Set
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.fusion import Fuser, read_weights
from character_pipeline.attribute_fusion.strategies import LEARNED
from character_pipeline.config import PipelineConfig
from character_pipeline.errors import ConfigError
from character_pipeline.vocabulary import Vocabulary

if TYPE_CHECKING:
    from character_pipeline.rl_optimizer.policy import Policy
    from character_pipeline.rl_optimizer.thrift import Thrift

log = logging.getLogger("character_pipeline")
POLICY = "learned"


def make_fuser(config: PipelineConfig, vocabulary: Vocabulary, lookers: Set[str] = frozenset()) -> Fuser:
    """Raises ConfigError where weights or policy cannot be used."""
    fusion = config.attribute_fusion
    if fusion.fusion_strategy != POLICY:
        return Fuser(vocabulary, fusion, lookers)
    from character_pipeline.rl_optimizer.learned import make_learned
    from character_pipeline.rl_optimizer.policy import load_policy

    policy = load_policy(_policy_file(config))
    instead = str(policy.about.provenance.get("instead", ""))
    if instead:
        _tell(instead)
        usual = fusion.model_copy(update={"fusion_strategy": instead})
        return Fuser(vocabulary, usual, lookers)
    strategy = make_learned(policy, read_weights(vocabulary, fusion), tuple(vocabulary.attributes))
    return Fuser(vocabulary, fusion, lookers, strategy)


def make_saver(config: PipelineConfig, fuser: Fuser) -> Thrift | None:
    """What keeps to the budget, where there is one. Raises ConfigError where the strategy cannot."""
    budget = config.rl_optimizer.budget_ms
    if budget is None:
        return None
    from character_pipeline.rl_optimizer.learned import Learned
    from character_pipeline.rl_optimizer.thrift import make_thrift

    if not isinstance(fuser.strategy, Learned):
        raise ConfigError(
            "rl_optimizer.budget_ms needs attribute_fusion.fusion_strategy 'learned' and a policy that was adopted; "
            f"'{fuser.strategy.name}' looks at every picture"
        )
    return make_thrift(fuser.strategy, budget)


def _policy_file(config: PipelineConfig) -> Path:
    from character_pipeline.rl_optimizer.policy import DEFAULT

    return Path(config.rl_optimizer.policy) if config.rl_optimizer.policy else DEFAULT


def read_policies(config: PipelineConfig) -> list[tuple[str, Policy]]:
    """The policy of the settings, or that of the package; none where there is no file."""
    from character_pipeline.rl_optimizer.policy import load_policy

    path = _policy_file(config)
    if not config.rl_optimizer.policy and not path.exists():
        return []
    policy = load_policy(path)
    heuristic = policy.about.provenance.get("reward") == "heuristic"
    return [(f"{POLICY} (heuristic reward)" if heuristic else POLICY, policy)]


@lru_cache(maxsize=8)
def _tell(instead: str) -> None:
    log.warning(
        "the policy was not adopted: on characters that it did not learn from, '%s' was as good or better; "
        "'%s' decides. To train another: charpipe train policy",
        instead,
        instead,
    )


def deciding_digest(config: PipelineConfig, vocabulary: Vocabulary) -> str:
    """Names the files that the decisions come from; empty where they come from rules alone."""
    fusion = config.attribute_fusion
    learned, precise = fusion.fusion_strategy in {*LEARNED, POLICY}, fusion.target_precision is not None
    if not learned and not precise:
        return ""
    weights = read_weights(vocabulary, fusion)
    parts = [weights.digest] * learned + [weights.thresholds_digest] * precise
    if fusion.fusion_strategy == POLICY:
        from character_pipeline.rl_optimizer.policy import load_policy

        parts += [load_policy(_policy_file(config)).digest, repr(config.rl_optimizer.budget_ms)]
    return " ".join(parts)
