"""The commands on a server: passwords are nowhere to be seen, and what needs a file says so."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from character_pipeline import create_pipeline
from character_pipeline.cli.main import app
from character_pipeline.database.policies import adopt, current_policy, versions
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.rl_optimizer.policy import load_policy
from tests.rl_optimizer.simulated_run import trained_policy
from tests.runs.test_postgres import VOCABULARY, New, exports, open_pipeline
from tests.runs.test_run import TEXTS, Make
from tests.servers import Server


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:top%40secret@nowhere.invalid/db",
        "postgresql://me:topsecret@nowhere.invalid:port/db",
        "postgresql://me:top/secret@nowhere.invalid/db",
        "postgresql://me:top@secret@nowhere.invalid/db",
        "postgresql://me@nowhere.invalid/db?password=topsecret&connect_timeout=2",
        "postgresql://me@nowhere.invalid/db?connect_timeout=2&nothing=1&password=topsecret",
    ],
)
def test_passwords_are_not_shown_when_it_cannot_be_opened(address: str) -> None:
    for writable in (True, False):
        with pytest.raises(StoreError) as told:
            Store(address, writable=writable)
        assert "secret" not in str(told.value)
        assert "me@nowhere.invalid" in str(told.value)


def test_passwords_are_nowhere_that_is_kept_or_shown(
    server: Server, new_schema: New, tmp_path: Path, make_manifest: Make
) -> None:
    address = new_schema().replace("postgres@", "postgres:topsecret@", 1)
    config = tmp_path / "c.json"
    config.write_text(json.dumps({"database": {"db_path": address}, "clip_analyzer": {"enabled": False}}))
    path, out, said = make_manifest(["1girl, red_hair", "1boy"]), tmp_path / "out", ""
    for more in (["--dry-run"], ["--dry-run", "--json"], [], ["--json"]):
        done = CliRunner().invoke(app, ["extract", str(path), "--config", str(config), "--output", str(out), *more])
        assert done.exit_code == 0, done.output
        said += done.output
    for words in (["query"], ["stats"], ["errors"], ["feedback"], ["policies", "list"]):
        said += CliRunner().invoke(app, [*words, address]).output
    said += str(CliRunner().invoke(app, ["show", "none", "--db", address]).exception)
    said += CliRunner().invoke(app, ["show", "item-00000", "--db", address]).output
    kept = "".join(file.read_text(errors="replace") for file in out.iterdir())
    with closing(Store(address)) as store:
        assert "Red" in said
        assert "postgresql://postgres@" in said
        stored = store.db.execute("SELECT config, environment, statistics FROM runs").fetchall()
        assert "topsecret" not in f"{said}{kept}{stored}{store.name}{store.place!r}"
    assert "topsecret" not in repr(create_pipeline(config).config)
    assert not (out / "character_attributes.db").exists()


def test_the_commands_work_on_it(new_schema: New, tmp_path: Path, make_manifest: Make) -> None:
    address, out, config = new_schema(), tmp_path / "out", tmp_path / "c.json"
    config.write_text(json.dumps({"database": {"db_path": address}, "clip_analyzer": {"enabled": False}}))
    run = CliRunner().invoke
    run(app, ["extract", str(make_manifest(["1girl, solo, red_hair", "1boy"])), "--config", str(config)])
    truth = tmp_path / "truth.jsonl"
    truth.write_text(json.dumps({"item_id": "item-00000", "people": "single", "attributes": {"Hair Color": "Red"}}))
    assert json.loads(run(app, ["query", address, "--where", "hair_color=Red", "--json"]).output)["Hair Color"] == "Red"
    sure = ["query", address, "--where", "hair_color=Red", "--min-confidence"]
    assert [len(run(app, [*sure, least, "--json"]).output.splitlines()) for least in ("0.1", "0.999")] == [1, 0]
    assert run(app, ["evaluate", address, "--truth", str(truth), "--by-source"]).exit_code == 0
    assert isinstance(run(app, ["export", address]).exception, ConfigError)
    assert run(app, ["export", address, "--output", str(out)]).exit_code == 0
    assert (out / "records.jsonl").read_text().count("\n") == 2
    assert run(app, ["feedback", address, "item-00000", "--set", "hair_color=Red"]).exit_code == 0
    assert "Red" in run(app, ["feedback", address]).output
    difference = run(app, ["diff", address, address]).exception
    assert isinstance(difference, ConfigError)
    assert "a database that is a file" in str(difference)


def test_a_finished_run_is_decided_again_from_and_into_a_server(
    make_manifest: Make, new_schema: New, tmp_path: Path
) -> None:
    path, address = make_manifest(TEXTS), new_schema()
    with open_pipeline(address) as pipeline:
        wanted = exports(pipeline, path, tmp_path)[0]
    for place in (str(tmp_path / "x.db"), new_schema()):
        with open_pipeline(place) as pipeline:
            secret = address.replace("postgres@", "postgres:topsecret@", 1)
            assert pipeline.redecide(secret).processed == len(TEXTS)
            uris = [row[0] for row in pipeline.store.db.execute("SELECT uri FROM sources")]
            assert uris == [address]
            assert [r.attributes.to_dict() for r in pipeline.process_dataset(path)]
            with pytest.raises(ConfigError, match="into itself"):
                pipeline.redecide(place)
    assert wanted


def test_policies_are_kept_in_it(new_schema: New, tmp_path: Path) -> None:
    address, file = new_schema(), trained_policy(tmp_path / "p.safetensors", count=100, steps=2)
    assert current_policy(address) is None
    with closing(Store(address, VOCABULARY)) as store:
        assert adopt(store, file).number == 1
        assert [one.current for one in versions(store)] == [True]
    found = current_policy(address)
    assert found is not None
    assert found.digest == load_policy(file).digest


def test_shards_for_other_machines_need_a_folder(new_schema: New, make_manifest: Make, tmp_path: Path) -> None:
    address = new_schema()
    with open_pipeline(address) as pipeline:
        assert pipeline.run(make_manifest(TEXTS), inventory_only=True).state == "planned"
        with pytest.raises(ConfigError, match="--shared"):
            list(pipeline.work(0, 1))
        assert sum(pipeline.work(0, 1, str(tmp_path / "shared"))) == len(TEXTS)
