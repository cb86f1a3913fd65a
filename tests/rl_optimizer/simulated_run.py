"""Simulated items through a real pipeline into a real store: two extractors say of each item what is claimed of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from character_pipeline import CharacterPipeline, Evidence, Item, create_pipeline
from character_pipeline.attribute_fusion.weights import Weights
from character_pipeline.database.store import Store
from character_pipeline.evaluation.contest.field import lay_out
from character_pipeline.evaluation.gold import Gold
from character_pipeline.extractors.base import Need, PictureReader
from character_pipeline.rl_optimizer.episodes import Mode
from character_pipeline.rl_optimizer.learning import prices_of
from character_pipeline.rl_optimizer.policy import save_policy
from character_pipeline.rl_optimizer.settings import Settings
from character_pipeline.testing import FakeReader
from character_pipeline.training.policy import Plan, best_policy
from tests.conftest import picture_bytes
from tests.rl_optimizer.simulated import make_gold


class Claiming:
    """Says of items what is claimed of them by one source."""

    version = "1"

    def __init__(self, name: str, needs: Need, gold: Gold) -> None:
        self.name, self.needs = name, frozenset({needs})
        self.readers: Sequence[PictureReader] = [FakeReader()] if needs == "readings" else []
        self.claims = {line["item_id"]: self._own(some) for line, some in zip(gold.truths, gold.claims, strict=True)}

    def _own(self, claims: Any) -> tuple[Evidence, ...]:
        return tuple(claim for some in claims.values() for claim in some if claim.extractor == self.name)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        return [self.claims[item.item_id] for item in batch]


def trained_policy(path: Path, count: int = 150, steps: int = 25, mode: Mode = "acquire", seed: int = 0) -> Path:
    """A policy that was hardly trained, and never judged."""
    how = Settings(hidden=(16,), learning_rate=3e-3, target_rate=0.05)
    plan = Plan(mode=mode, settings=how, steps=steps, seeds=[seed])
    fit = lay_out(make_gold(count), Weights())
    policy, _ = best_policy(fit, plan, Weights(), lambda line: None)
    provenance = {**policy.about.provenance, "budgets": prices_of(fit.known, plan.game, policy)}
    save_policy(replace(policy, about=policy.about.model_copy(update={"provenance": provenance})), path)
    return path


def settings(folder: Path, policy: Path | None, **learner: Any) -> dict[str, Any]:
    """A configuration with weights that were never fitted."""
    Weights().save(folder / "weights.json")
    named = {"policy": str(policy)} if policy is not None else {}
    return {
        "attribute_fusion": {"fusion_strategy": "learned", "weights": str(folder / "weights.json")},
        "rl_optimizer": {**named, **learner},
        "database": {"db_path": str(folder / "character_attributes.db")},
        "run": {"workers": 1},
    }


def pipeline_of(gold: Gold, config: dict[str, Any]) -> CharacterPipeline:
    extractors = [Claiming("tag_parser", "text", gold), Claiming("clip_analyzer", "readings", gold)]
    return create_pipeline(config, extractors=extractors)


def run_items(gold: Gold, folder: Path, config: dict[str, Any], alike: bool = True) -> Store:
    """The store of a run over all items, whose pictures are all the same, or each of another color."""
    rows = []
    for number, line in enumerate(gold.truths):
        color = 0 if alike else number
        (folder / f"{color}.png").write_bytes(picture_bytes(color=(color % 256, color // 256, 0)))
        rows.append({"id": line["item_id"], "text": "said", "image": f"{color}.png"})
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with pipeline_of(gold, config) as pipeline:
        pipeline.run(folder / "items.jsonl")
    return Store(folder / "character_attributes.db")
