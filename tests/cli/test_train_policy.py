"""`charpipe train policy --from`: from a policy and the feedback that came since to the next one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from character_pipeline.cli.main import app
from character_pipeline.database.feedback import all_feedback, give_feedback
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.rl_optimizer.policy import load_policy
from tests.rl_optimizer.simulated import TOLD, VOCABULARY, make_gold
from tests.rl_optimizer.simulated_run import run_items, settings, trained_policy

GOLD = make_gold(160, seed=5)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a policy, a database, and feedback on its items."""
    base = trained_policy(tmp_path / "base.safetensors", count=80, steps=2, mode="six")
    config = settings(tmp_path, base)
    store = run_items(GOLD, tmp_path, config)
    for line in GOLD.truths[40:]:
        for key in TOLD:
            true = line["attributes"][VOCABULARY.attributes[key].label]
            give_feedback(store, line["item_id"], key, true if isinstance(true, list) else [true])
    store.close()
    (tmp_path / "settings.json").write_text(json.dumps({"attribute_fusion": config["attribute_fusion"]}))
    (tmp_path / "old.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in GOLD.truths[:40]))
    return tmp_path


def train(place: Path, before: str, *more: str) -> Any:
    named = ["--from", str(place / before), "--config", str(place / "settings.json"), "--steps", "3"]
    words = ["train", "policy", str(place), "--output", str(place / "next.safetensors"), *named, *more]
    done = CliRunner().invoke(app, words)
    if done.exception is not None:
        raise done.exception
    return done


def test_it_goes_on_once_with_what_is_new(place: Path) -> None:
    assert "the policy before" in train(place, "base.safetensors", "--truth", str(place / "old.jsonl")).output
    made, base = load_policy(place / "next.safetensors"), load_policy(place / "base.safetensors")
    notes = made.about.provenance
    assert notes["from"] == base.digest
    assert made.about.actions == base.about.actions
    store = Store(place / "character_attributes.db", writable=False)
    assert notes["feedback_until"] == max(one.given for one in all_feedback(store))
    store.close()
    with pytest.raises(ConfigError, match="0 items were labelled since"):
        train(place, "next.safetensors")
