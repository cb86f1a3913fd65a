"""Versions of adopted policies: which one decides, how to go back, and that broken ones never do."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from character_pipeline.cli.main import app
from character_pipeline.config import PipelineConfig, load_config
from character_pipeline.database.policies import adopt, current_policy, roll_back, versions
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, ModelError, StoreError
from character_pipeline.processing.deciding import deciding_digest, find_policy, read_policies
from character_pipeline.rl_optimizer.policy import DEFAULT, load_policy, save_policy
from character_pipeline.training.policy import noted
from tests.conftest import SINCE_SEVEN
from tests.rl_optimizer.simulated import VOCABULARY, make_gold
from tests.rl_optimizer.simulated_run import pipeline_of, settings, trained_policy


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    return [trained_policy(folder / f"{n}.safetensors", count=100, steps=2, seed=n) for n in range(2)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "character_attributes.db", VOCABULARY)
    yield opened
    opened.close()


def config_of(store: Store, policy: Path | None = None) -> PipelineConfig:
    return load_config(settings(store.path.parent, policy))


def digest_of(store: Store) -> str:
    found = find_policy(config_of(store))
    assert found is not None
    return found.digest


def test_the_adopted_one_decides_and_one_can_go_back(store: Store, files: list[Path]) -> None:
    digests = [load_policy(path).digest for path in files]
    package = load_policy(DEFAULT).digest
    assert digest_of(store) == package
    first, second = (adopt(store, path) for path in files)
    assert (first.number, second.number) == (1, 2)
    assert [one.current for one in versions(store)] == [False, True]
    assert digest_of(store) == digests[1]
    before = roll_back(store)
    assert before is not None
    assert before.digest == digest_of(store) == digests[0]
    assert roll_back(store) is None
    assert digest_of(store) == package
    with pytest.raises(ConfigError, match="nothing to go back from"):
        roll_back(store)
    assert adopt(store, files[1]).number == 2, "what is kept already is not kept twice"
    assert [(one.number, one.current) for one in versions(store)] == [(1, False), (2, True)]


def test_a_policy_that_the_settings_name_goes_before(store: Store, files: list[Path]) -> None:
    adopt(store, files[0])
    named = config_of(store, files[1])
    found = find_policy(named)
    assert found is not None
    assert found.digest == load_policy(files[1]).digest
    assert deciding_digest(named, VOCABULARY) != deciding_digest(config_of(store), VOCABULARY)
    rules = load_config({"database": {"db_path": str(store.path)}})
    assert find_policy(rules) is None
    ((_, there),) = read_policies(rules, store.path)
    assert there.digest == load_policy(files[0]).digest


def test_what_is_adopted_while_a_pipeline_lives_decides_nothing_in_it(store: Store, files: list[Path]) -> None:
    adopt(store, files[0])
    config = settings(store.path.parent, None)
    with pipeline_of(make_gold(5), config) as pipeline:
        adopt(store, files[1])
        elsewhere = pickle.loads(pickle.dumps(pipeline._make_stages))()
        assert elsewhere is not pipeline.stages
        assert elsewhere.fingerprint == pipeline.stages.fingerprint
    with pipeline_of(make_gold(5), config) as later:
        assert later.stages.fingerprint != pipeline.stages.fingerprint


def test_nothing_changes_beside_a_run(store: Store, files: list[Path]) -> None:
    adopt(store, files[0])
    with closing(Store(store.path, VOCABULARY)) as running, running.lock():
        with pytest.raises(StoreError, match="another run is writing"):
            adopt(store, files[1])
        with pytest.raises(StoreError, match="another run is writing"):
            roll_back(store)
    assert [one.current for one in versions(store)] == [True]


def test_versions_say_where_they_come_from(store: Store, files: list[Path], tmp_path: Path) -> None:
    gate = {"baseline": "ensemble", "difference": 0.01, "interval": [0.005, 0.015], "adopted": True}
    save_policy(noted(load_policy(files[0]), {"gate": gate, "labels": 321}), tmp_path / "p.safetensors")
    made = adopt(store, tmp_path / "p.safetensors")
    assert (made.labels, made.gate) == (321, gate)
    assert made.adopted > 1.7e9


def test_what_the_gate_refused_is_not_adopted(store: Store, files: list[Path], tmp_path: Path) -> None:
    save_policy(noted(load_policy(files[0]), {"instead": "ensemble"}), tmp_path / "p.safetensors")
    with pytest.raises(ConfigError, match="the gate did not adopt this policy: 'ensemble'"):
        adopt(store, tmp_path / "p.safetensors")
    assert not list(versions(store))


@pytest.mark.parametrize("cut", [0, 10, 5_000])
def test_broken_files_are_not_adopted_and_broken_rows_do_not_decide(
    store: Store, files: list[Path], tmp_path: Path, cut: int
) -> None:
    (tmp_path / "p.safetensors").write_bytes(files[0].read_bytes()[:cut])
    with pytest.raises(ModelError):
        adopt(store, tmp_path / "p.safetensors")
    adopt(store, files[0])
    store.db.execute("UPDATE policies SET file = ?", (files[0].read_bytes()[:cut],))
    with pytest.raises(ModelError, match="an adopted policy is broken"):
        current_policy(store.path)


def test_databases_without_policies(tmp_path: Path, files: list[Path]) -> None:
    assert current_policy(tmp_path / "none.db") is None
    (tmp_path / "text.db").write_text("hello" * 100)
    assert current_policy(tmp_path / "text.db") is None
    with closing(Store(tmp_path / "old.db", VOCABULARY)) as old:
        for name in ("policies", *SINCE_SEVEN):
            old.db.execute(f"DROP TABLE {name}")
        old.db.execute("PRAGMA user_version = 5")
    assert current_policy(tmp_path / "old.db") is None
    with closing(Store(tmp_path / "old.db", VOCABULARY, writable=False)) as old:
        assert not list(versions(old))
    with closing(Store(tmp_path / "old.db", VOCABULARY)) as old:
        assert adopt(old, files[0]).current


def test_the_command_lists_adopts_and_goes_back(store: Store, files: list[Path]) -> None:
    run = CliRunner().invoke
    place, config = str(store.path.parent), store.path.parent / "settings.json"
    config.write_text(json.dumps({"attribute_fusion": settings(store.path.parent, None)["attribute_fusion"]}))
    other = run(app, ["policies", "adopt", place, str(files[0])]).exception
    assert isinstance(other, ConfigError)
    assert "other fusion weights" in str(other)
    assert "the policy of the package decides" in run(app, ["policies", "list", place]).output
    assert "version 1 decides" in run(app, ["policies", "adopt", place, str(files[0]), "--config", str(config)]).output
    run(app, ["policies", "adopt", place, str(files[1]), "--config", str(config)])
    listed = run(app, ["policies", "list", place]).output.splitlines()
    assert [line[:3] for line in listed] == ["  1", "* 2"]
    found = json.loads(run(app, ["policies", "list", place, "--json"]).output)
    assert [one["current"] for one in found] == [False, True]
    assert "version 1 decides" in run(app, ["policies", "rollback", place]).output
    assert "policy of the package decides" in run(app, ["policies", "rollback", place]).output
