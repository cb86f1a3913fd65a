"""Records say what a policy chose, and the store keeps it in a few bytes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from character_pipeline.cli.main import app
from character_pipeline.database.queries import get_result
from character_pipeline.database.store import Store
from character_pipeline.rl_optimizer.actions import NAMES
from character_pipeline.rl_optimizer.choices import (
    ACTIONS,
    PURCHASES,
    SAMPLES,
    Choice,
    Dealing,
    read_choice,
    read_dealing,
    write_choice,
    write_dealing,
)
from tests.conftest import SINCE_SEVEN
from tests.rl_optimizer.simulated import make_gold
from tests.rl_optimizer.simulated_run import pipeline_of, run_items, settings, trained_policy

GOLD = make_gold(24, seed=5)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_policy(tmp_path_factory.mktemp("policy") / "policy.safetensors")


@pytest.fixture(scope="module")
def store(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("run")
    opened = run_items(GOLD, folder, settings(folder, policy))
    yield opened
    opened.close()


def test_the_store_knows_the_actions_of_the_policy() -> None:
    assert ACTIONS == NAMES


@given(st.sampled_from(ACTIONS), st.sampled_from(ACTIONS) | st.just(""), st.floats(1e-9, 1.0))
def test_choices_come_back(action: str, drawn: str, propensity: float) -> None:
    choice = Choice(action, drawn, propensity) if drawn else Choice(action)
    assert read_choice(json.loads(write_choice(choice))) == choice


@given(st.none() | st.sets(st.sampled_from(PURCHASES)), st.sets(st.sampled_from(SAMPLES)))
def test_dealings_come_back(bought: set[str] | None, samples: set[str]) -> None:
    paid = None if bought is None else tuple(name for name in PURCHASES if name in bought)
    made = Dealing(paid, tuple(name for name in SAMPLES if name in samples))
    assert read_dealing(write_dealing(made)) == made


def test_records_say_what_was_chosen_also_after_the_store(store: Store, policy: Path) -> None:
    told = 0
    with pipeline_of(GOLD, settings(store.path.parent, policy)) as pipeline:
        fuser = pipeline.stages.fuser
        for line, claims in zip(GOLD.truths, GOLD.claims, strict=True):
            result = get_result(store, line["item_id"])
            assert result is not None
            for label, decided in fuser.decide(claims).items():
                assert result.attributes.attributes[label].choice == decided.choice
                assert bool(decided.choice) <= bool(decided.evidence)
                told += decided.choice is not None
            detail = result.attributes.to_detail()
            assert "policy" not in result.attributes.to_dict()
            assert any("policy" in one for one in detail["attributes"].values())
            assert "policy" not in detail, "nothing was to be bought"
    assert told > len(GOLD)


def test_what_is_chosen_costs_two_bytes_an_attribute(store: Store) -> None:
    rows = store.db.execute("SELECT decided FROM details").fetchall()
    for (decided,) in rows:
        for stored in json.loads(decided).values():
            assert len(stored) == 6 or (len(stored) == 7 and stored[6] in range(len(ACTIONS)))


def test_the_command_shows_it(store: Store) -> None:
    shown = CliRunner().invoke(app, ["show", "1", "--db", str(store.path)])
    assert shown.exit_code == 0, shown.output
    assert "chosen" in shown.output
    assert any(name in shown.output for name in ACTIONS)
    detail = json.loads(CliRunner().invoke(app, ["show", "1", "--db", str(store.path), "--json"]).output)
    assert any(one.get("policy", {}).get("action") in ACTIONS for one in detail["attributes"].values())


def test_with_a_budget_records_say_what_was_bought(policy: Path, tmp_path: Path) -> None:
    store = run_items(GOLD, tmp_path, settings(tmp_path, policy, budget_ms=0.0))
    found = [get_result(store, line["item_id"]) for line in GOLD.truths]
    for result in found:
        assert result is not None
        record = result.attributes
        assert record.dealing is not None
        heard = {claim.extractor for one in record.attributes.values() for claim in one.evidence}
        assert record.to_detail()["policy"] == {"bought": list(record.dealing.bought or ())}
        assert ("clip_analyzer" in heard) <= bool(record.dealing.bought)
    shown = CliRunner().invoke(app, ["show", "1", "--db", str(store.path)]).output
    assert "policy: of the picture it buys" in shown
    store.close()


def test_databases_from_before_are_read_as_they_are(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        assert isinstance(store.db, sqlite3.Connection)
        store.db.backup(old)
        old.execute("ALTER TABLE details DROP COLUMN dealing")
        for name in ("policies", *SINCE_SEVEN):
            old.execute(f"DROP TABLE {name}")
        old.execute("PRAGMA user_version = 4")
    for writable in (False, True):
        with closing(Store(path, writable=writable)) as again:
            result = get_result(again, "1")
            assert result is not None
            assert result.attributes.dealing is None
            assert any(one.choice for one in result.attributes.attributes.values())
