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
from character_pipeline.processing.prior import prior_digest
from character_pipeline.vocabulary import Vocabulary

if TYPE_CHECKING:
    from character_pipeline.rl_optimizer.learned import Learned
    from character_pipeline.rl_optimizer.policy import Policy
    from character_pipeline.rl_optimizer.sampling import Sampler
    from character_pipeline.rl_optimizer.thrift import Thrift

log = logging.getLogger("character_pipeline")
POLICY = "learned"


def find_policy(config: PipelineConfig) -> Policy | None:
    """The policy that decides: that of the settings, else the one that was adopted in the database, else that of the
    package; None where none does. Raises ModelError where it cannot be read."""
    if config.attribute_fusion.fusion_strategy != POLICY:
        return None
    from character_pipeline.database.policies import current_policy
    from character_pipeline.rl_optimizer.policy import DEFAULT, load_policy

    if config.rl_optimizer.policy:
        return load_policy(Path(config.rl_optimizer.policy))
    return current_policy(config.database.db_path) or load_policy(DEFAULT)


def make_fuser(
    config: PipelineConfig, vocabulary: Vocabulary, lookers: Set[str] = frozenset(), policy: Policy | None = None
) -> Fuser:
    """Raises ConfigError where weights or policy cannot be used.

    Args:
        policy: the one that decides, where it was found before.
    """
    fusion = config.attribute_fusion
    if fusion.fusion_strategy != POLICY:
        return Fuser(vocabulary, fusion, lookers)
    from character_pipeline.rl_optimizer.learned import make_learned

    policy = policy or find_policy(config)
    assert policy is not None
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
    from character_pipeline.rl_optimizer.thrift import make_thrift

    return make_thrift(_learned(fuser, "budget_ms", "looks at every picture"), budget)


def make_sampler(config: PipelineConfig, fuser: Fuser) -> Sampler | None:
    """What draws audits and exploration, where there are any. Raises ConfigError where the strategy cannot."""
    learner = config.rl_optimizer
    if not learner.audit_share and not learner.explore_share:
        return None
    from character_pipeline.rl_optimizer.sampling import Sampler

    _learned(fuser, "audit_share" if learner.audit_share else "explore_share", "chooses nothing that could be logged")
    return Sampler(learner.audit_share, learner.explore_share, learner.epsilon, learner.sampling_seed)


def _learned(fuser: Fuser, setting: str, instead: str) -> Learned:
    """The strategy, where it is the policy. Raises ConfigError where a setting needs that and it is not."""
    from character_pipeline.rl_optimizer.learned import Learned

    if not isinstance(fuser.strategy, Learned):
        raise ConfigError(
            f"rl_optimizer.{setting} needs attribute_fusion.fusion_strategy 'learned' and a policy that was adopted; "
            f"'{fuser.strategy.name}' {instead}"
        )
    return fuser.strategy


def read_policies(config: PipelineConfig, database: str | Path) -> list[tuple[str, Policy]]:
    """The policy that would decide in a database."""
    fusion = config.attribute_fusion.model_copy(update={"fusion_strategy": POLICY})
    there = config.database.model_copy(update={"db_path": str(database)})
    found = find_policy(config.model_copy(update={"attribute_fusion": fusion, "database": there}))
    if found is None:
        return []
    heuristic = found.about.provenance.get("reward") == "heuristic"
    return [(f"{POLICY} (heuristic reward)" if heuristic else POLICY, found)]


@lru_cache(maxsize=8)
def _tell(instead: str) -> None:
    log.warning(
        "the policy was not adopted: on characters that it did not learn from, '%s' was as good or better; "
        "'%s' decides. To train another: charpipe train policy",
        instead,
        instead,
    )


def deciding_digest(config: PipelineConfig, vocabulary: Vocabulary, policy: Policy | None = None) -> str:
    """Names the files that the decisions come from; empty where they come from rules alone."""
    fusion = config.attribute_fusion
    learned, precise = fusion.fusion_strategy in {*LEARNED, POLICY}, fusion.target_precision is not None
    if not learned and not precise:
        return prior_digest(fusion)
    weights = read_weights(vocabulary, fusion)
    parts = [weights.digest] * learned + [weights.thresholds_digest] * precise
    parts += [prior_digest(fusion)] if fusion.character_profiles else []
    policy = policy or find_policy(config)
    if policy is not None:
        learner = config.rl_optimizer
        samples = [learner.audit_share, learner.explore_share, learner.epsilon, learner.sampling_seed]
        parts += [policy.digest, repr(learner.budget_ms)]
        parts += [repr(samples)] if learner.audit_share or learner.explore_share else []
    return " ".join(parts)
