"""The real command line, end to end."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

from tests.conftest import picture_bytes

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
FIRST = "1girl, solo, long_hair, blue_eyes, black_hair, ponytail, smile, school_uniform, red_necktie"


def charpipe(*words: object, code: int = 0, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*CHARPIPE, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=120)
    assert done.returncode == code, done.stderr
    return done


def answer(*words: object) -> Any:
    return json.loads(charpipe(*words, "--json").stdout)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    (folder / "sub").mkdir(parents=True)
    texts = {
        "a": FIRST,
        "sub/b": "2girls, blonde hair",
        "c": "a bald old man with a grey beard and glasses",
        "d": "scenery, no_humans",
    }
    for name, text in texts.items():
        (folder / f"{name}.png").write_bytes(picture_bytes())
        (folder / f"{name}.txt").write_text(text)
    (folder / "broken.jpg").write_bytes(picture_bytes("JPEG", (256, 256))[:500])
    return folder


@pytest.fixture
def output(dataset: Path, tmp_path: Path) -> Path:
    charpipe("extract", dataset, "--output", tmp_path / "out", "--format", "parquet,jsonl,csv", "--quiet")
    return tmp_path / "out"


def test_help_is_there_and_light() -> None:
    program = (
        "import sys; from character_pipeline.cli.main import app; app(['extract', '--help'], standalone_mode=False); "
    )
    program += "print([m for m in ('torch', 'onnxruntime', 'pyarrow', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--retry-failed" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_text_runs_import_no_model_library(dataset: Path, tmp_path: Path) -> None:
    for picture in [*dataset.rglob("*.png"), *dataset.rglob("*.jpg")]:
        picture.unlink()
    program = (
        "import sys; from character_pipeline import create_pipeline; "
        f"p = create_pipeline({{'database': {{'db_path': {str(tmp_path / 'x.db')!r}}}}}); "
        f"print(len(p.process_dataset({str(dataset)!r})), "
        "[m for m in ('torch', 'onnxruntime', 'transformers', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "4 []\n"
    assert not done.stderr, "no model looked at anything, so none is spoken of"


def test_extract_writes_everything_that_it_says(output: Path) -> None:
    names = {"character_attributes.db", "records.parquet", "records.jsonl", "records.csv", "schema.json"}
    assert names | {"config.json", "stats.json"} <= set(os.listdir(output))
    records = {row["item_id"]: row for row in map(json.loads, (output / "records.jsonl").read_text().splitlines())}
    assert list(records) == ["a.png", "broken.jpg", "c.png", "d.png", "sub/b.png"]
    assert {key: row["status"] for key, row in records.items()} == {
        "a.png": "ok",
        "broken.jpg": "failed",
        "c.png": "ok",
        "d.png": "no_character",
        "sub/b.png": "ambiguous",
    }
    first = records["a.png"]
    stated = [
        "Gender", "Hair Style", "Hair Color", "Hair Length", "Eye Color", "Dress", "Facial Expression", "Accessories",
        "Confidence Score",
    ]  # fmt: skip
    assert [key for key in first if key in stated] == stated
    assert (first["Hair Color"], first["Dress"], first["Accessories"]) == ("Black", "School Uniform", ["Necktie"])
    assert records["c.png"]["Facial Hair"] == ["Beard"]
    assert records["c.png"]["Hair Style"] == "Bald"
    assert "Hair Color" not in records["sub/b.png"]
    schema = json.loads((output / "schema.json").read_text())
    for row in records.values():
        jsonschema.validate(row, schema)
    table = pq.read_table(output / "records.parquet")
    assert table.column("item_id").to_pylist() == list(records)
    assert table.column("accessories").to_pylist()[0] == ["Necktie"]
    assert table.column("accessories_detail").to_pylist()[0] == "red necktie"
    stats = json.loads((output / "stats.json").read_text())
    assert (stats["state"], stats["processed"]) == ("finished", 5)
    assert json.loads((output / "config.json").read_text())["attribute_fusion"]["confidence_threshold"] == 0.3


def test_the_parquet_file_is_a_hugging_face_data_set(output: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    path = str(output / "records.parquet")
    loaded = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded[0]["hair_color"] == "Black"
    assert loaded[0]["accessories"] == ["Necktie"]


def test_progress_and_table_are_for_people(dataset: Path, tmp_path: Path) -> None:
    done = charpipe("extract", dataset, "--output", tmp_path / "out")
    assert "5 of 5 (100%)" in done.stderr
    assert "failures: 1 truncated_image" in done.stderr
    assert "School Uniform" in done.stdout
    assert "without text: 1;" in done.stdout
    assert "charpipe query" in done.stdout
    again = charpipe("extract", dataset, "--output", tmp_path / "out")
    assert "0 items to do, 5 done before" in again.stderr


def test_show(dataset: Path, output: Path) -> None:
    record = answer("show", dataset / "a.png")
    eyes = record["attributes"]["Eye Color"]
    assert (eyes["state"], eyes["value"], eyes["evidence"][0]["from"]) == ("known", "Blue", "blue_eyes")
    assert set(record) == {
        "people",
        "status",
        "confidence",
        "item_id",
        "content_hash",
        "fingerprint",
        "errors",
        "reasons",
        "attributes",
    }
    assert record == answer("show", "a.png", "--db", output)
    text_alone = answer("show", dataset / "a.txt")["attributes"]
    for label, decided in record["attributes"].items():
        said = [claim for claim in decided["evidence"] if claim["source"] in {"tag_parser/1", "text_parser/1"}]
        assert said == text_alone[label]["evidence"]
    assert answer("show", "1boy, red hair")["attributes"]["Hair Color"]["value"] == "Red"
    assert "blue_eyes → Blue" in charpipe("show", dataset / "a.png").stdout
    assert "list them with" in charpipe("show", "none.png", "--db", output, code=2).stderr


def test_query_and_stats_and_errors(output: Path) -> None:
    rows = charpipe("query", output, "--where", "hair_color=Black, Gender=female", "--json").stdout.splitlines()
    assert [json.loads(row)["item_id"] for row in rows] == ["a.png"]
    for where, count in (("accessories=Glasses", 1), ("hair_color=not_applicable", 1), ("people=multiple", 1)):
        assert f"{count} of {count} records" in charpipe("query", output, "--where", where).stderr
    assert "0 of 0" in charpipe("query", output, "--where", "hair_color=Black", "--min-confidence", "1").stderr
    stats = answer("stats", output)
    assert stats["by_status"]["ok"] == 2
    assert stats["attributes"]["Hair Color"]["Black"] == 1
    assert "Hair Color" in charpipe("stats", output).stdout
    assert "fetch it again" in charpipe("errors", output).stdout
    assert answer("errors", output)[0]["examples"][0][0] == "broken.jpg"


def test_export_takes_a_filter(output: Path, tmp_path: Path) -> None:
    done = charpipe("export", output, "--output", tmp_path / "e", "--format", "csv", "--where", "status=ok")
    assert "2 records" in done.stdout
    assert (tmp_path / "e" / "records.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["extract", "nowhere"], 2, "there is no such dataset"),
        (["extract", ".", "--format", "xml"], 2, "Allowed: parquet, jsonl, csv, none"),
        (["extract", ".", "--engine", "spark"], 2, "Allowed: local"),
        (["extract", ".", "--limit", "0"], 2, "limit"),
        (["extract"], 2, "Missing argument"),
        (["query", "nowhere.db"], 1, "charpipe extract"),
        (["stats", __file__], 1, "not a database"),
    ],
)
def test_mistakes_say_what_to_do(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    done = charpipe(*words, code=code, cwd=tmp_path)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("hair_colour=Black", "Did you mean 'hair_color'"),
        ("hair_color=Blond", "Did you mean 'Blonde'"),
        ("x", "attribute=value"),
    ],
)
def test_filters_name_what_is_allowed(output: Path, where: str, said: str) -> None:
    assert said in charpipe("query", output, "--where", where, code=2).stderr


def test_dry_run_writes_nothing(dataset: Path, tmp_path: Path) -> None:
    done = charpipe("extract", dataset, "--output", tmp_path / "out", "--dry-run")
    assert "5 items" in done.stdout
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    done = charpipe("extract", tmp_path / "set", "--output", tmp_path / "out")
    assert done.stdout.startswith("nothing found")


def write_texts(path: Path, count: int) -> None:
    chooser = random.Random(0)
    tags = ["blonde hair", "blue eyes", "hat", "1boy", "glasses", "smile", "dress", "closed eyes", "ponytail", "2girls"]
    lines = (
        json.dumps({"id": f"{n:06}", "text": "1girl, " + ", ".join(chooser.sample(tags, 5))}) for n in range(count)
    )
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.timeout(240)
def test_ten_kills_and_a_finish_give_the_same_bytes(tmp_path: Path) -> None:
    write_texts(tmp_path / "t.jsonl", 3_000)
    (tmp_path / "c.toml").write_text("[run]\nshard_size = 50\nworkers = 2\n")
    command = ["extract", tmp_path / "t.jsonl", "--config", tmp_path / "c.toml", "--quiet", "--output"]
    charpipe(*command, tmp_path / "whole")
    chooser = random.Random(7)
    killed = 0
    for _ in range(10):
        run = subprocess.Popen([*CHARPIPE, *map(str, command), str(tmp_path / "killed")], start_new_session=True)
        time.sleep(0.3 + chooser.random() * 1.2)
        killed += run.poll() is None
        os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
        run.wait()
    charpipe(*command, tmp_path / "killed")
    assert killed >= 5
    for name in ("records.jsonl", "records.parquet"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with sqlite3.connect(tmp_path / "killed" / "character_attributes.db") as db:
        assert db.execute("SELECT count(*), count(DISTINCT item) FROM records").fetchone() == (3_000, 3_000)
    db.close()


def test_ctrl_c_is_said_and_resumed(tmp_path: Path) -> None:
    write_texts(tmp_path / "t.jsonl", 20_000)
    command = ["extract", tmp_path / "t.jsonl", "--output", tmp_path / "out"]
    run = subprocess.Popen([*CHARPIPE, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "items to do" in line:
            break
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    out, errors = run.communicate(timeout=60)
    assert run.returncode == 130, f"{out}\n{errors}"
    assert "run the same command to go on" in out
    assert "done before" in charpipe(*command).stderr
    assert answer("stats", tmp_path / "out")["waiting"] == 0
