"""Hostile files through the real command line: each ends in one row, and none reaches the terminal as it is."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.hostile import ANSI, MAX_PIXELS, PNG, SQL, TAGS, Outcome, build

OK_ROW: Outcome = ("ok", None)
CHARPIPE = [sys.executable, "-m", "character_pipeline"]


class Hostile(NamedTuple):
    folder: Path
    output: Path
    outcomes: dict[str, Outcome]
    said: subprocess.CompletedProcess[str]


def charpipe(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, which has to end in time, without a traceback and without sending signs to the terminal."""
    command = [*CHARPIPE, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    hidden = {sign for sign in done.stdout + done.stderr if unicodedata.category(sign) in {"Cc", "Cf"}}
    assert hidden <= {"\n"}
    return done


def rows_of(output: Path) -> dict[str, dict[str, Any]]:
    """The records by item id; no id comes twice."""
    lines = (output / "records.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    assert Counter(row["item_id"] for row in rows).most_common(1)[0][1] == 1
    return {row["item_id"]: row for row in rows}


def outcomes_of(output: Path) -> dict[str, Outcome]:
    kinds = {
        item_id: group["kind"]
        for group in json.loads(charpipe("errors", output, "--json", "--examples", 1_000).stdout)
        for item_id, _ in group["examples"]
    }
    return {item_id: (row["status"], kinds.get(item_id)) for item_id, row in rows_of(output).items()}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Hostile:
    place = tmp_path_factory.mktemp("hostile")
    (place / "set").mkdir()
    outcomes = build(place / "set")
    (place / "c.toml").write_text(f"[input_loader]\nmax_pixels = {MAX_PIXELS}\n")
    options = ["--config", place / "c.toml", "--format", "parquet,jsonl,csv"]
    said = charpipe("extract", place / "set", "--output", place / "out", *options)
    return Hostile(place / "set", place / "out", outcomes, said)


def test_each_file_ends_in_one_row_with_the_right_kind(hostile: Hostile) -> None:
    assert outcomes_of(hostile.output) == hostile.outcomes


def test_what_can_be_read_is_read(hostile: Hostile) -> None:
    rows = rows_of(hostile.output)
    for name in ("nul.png", "latin.png", "wide.png", "alone.txt"):
        assert rows[name]["Eye Color"] == "Blue", name
    assert rows["escapes.txt"]["Gender"] == "Female"


def test_all_exports_agree(hostile: Hostile) -> None:
    names = list(rows_of(hostile.output))
    assert names == sorted(names)
    assert pq.read_table(hostile.output / "records.parquet").column("item_id").to_pylist() == names
    with (hostile.output / "records.csv").open(encoding="utf-8", newline="") as file:
        assert [row["item_id"] for row in csv.DictReader(file)] == names


def test_a_second_run_has_only_passing_failures_to_do(hostile: Hostile) -> None:
    config = hostile.folder.parent / "c.toml"
    again = charpipe("extract", hostile.folder, "--output", hostile.output, "--config", config, "--format", "none")
    assert again.stderr.split(" items to do")[0].endswith(" 0" if os.geteuid() == 0 else " 1")


COMMANDS = (
    ["stats"],
    ["stats", "--figures"],
    ["errors", "--examples", "99"],
    ["query", "--limit", "99"],
    ["query", "--limit", "99", "--text", "1girl -hat"],
    ["query", "--limit", "99", "--like", f"{ANSI}.png"],
    ["review", "--limit", "99"],
    ["compare", "majority_voting", "confidence_weighted", "--differing", "99", "--quiet"],
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_other_commands_work_on_the_result(hostile: Hostile, command: list[str]) -> None:
    plain = charpipe(*command, hostile.output)
    assert plain.stdout
    assert charpipe(*command, hostile.output, "--json").stdout


def test_names_are_shown_escaped_and_in_full(hostile: Hostile) -> None:
    listed = charpipe("query", hostile.output, "--limit", "99").stdout
    for shown in ("\\x1b[31mred\\x1b[0m.png", "line\\nbreak.png", "[bold]x.png", f"{SQL}.png", "猫 ü.webp", "\\u202e"):
        assert shown in listed
    failed = charpipe("errors", hostile.output, "--examples", "99").stdout
    assert "[bold]broken.png" in failed
    assert "\\x1b[31mred\\x1b[0m.jpg" in failed


@pytest.mark.parametrize(
    "name", [f"{ANSI}.png", f"{ANSI}.jpg", "line\nbreak.png", "-rf.png", "--help.png", "[bold]x.png", f"{SQL}.png"]
)
def test_show_finds_each_name(hostile: Hostile, name: str) -> None:
    record = json.loads(charpipe("show", "--db", hostile.output, "--json", "--", name).stdout)
    assert record["item_id"] == name
    assert charpipe("show", "--db", hostile.output, "--", name).stdout
    assert charpipe("show", "--", hostile.folder / name).stdout


def test_show_escapes_texts_and_complaints(hostile: Hostile) -> None:
    said = charpipe("show", f"1girl, {ANSI}, [bold]hat[/bold], blue_eyes\x1b]0;title\x07")
    assert "Female" in said.stdout
    assert "\\x1b[31m" in charpipe("show", ANSI, "--db", hostile.output, code=2).stderr
    assert "\\x1b[31m" in charpipe("query", hostile.output, "--where", f"{ANSI}=1", code=2).stderr
    assert charpipe("show", hostile.folder / "pipe.png").stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_knows_few_signs(hostile: Hostile, encoding: str) -> None:
    for words in (["show", "1girl, 猫, blue_eyes"], ["query", str(hostile.output), "--limit", "99"]):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run([*CHARPIPE, *words], capture_output=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr


def test_export_with_a_filter(hostile: Hostile, tmp_path: Path) -> None:
    charpipe("export", hostile.output, "--output", tmp_path, "--where", "eye_color=Blue", "--format", "parquet,csv")
    assert "alone.txt" in pq.read_table(tmp_path / "records.parquet").column("item_id").to_pylist()
    assert charpipe("query", hostile.output, "--where", f"hair_color={SQL}", code=2).stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_tried_again(hostile: Hostile) -> None:
    assert "tried again by the next run" in charpipe("errors", hostile.output).stdout


def extract(dataset: Path, output: Path) -> dict[str, Outcome]:
    charpipe("extract", dataset, "--output", output, "--quiet")
    for command in ("stats", "errors", "query"):
        charpipe(command, output)
    return outcomes_of(output)


def test_a_tar_that_breaks_off(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "whole.tar", "w") as archive:
        for name, raw in (("a.png", PNG), ("a.txt", TAGS), (f"{ANSI}.png", PNG), ("z.png", PNG * 100)):
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    (tmp_path / "cut.tar").write_bytes((tmp_path / "whole.tar").read_bytes()[:6_000])
    (tmp_path / "noise.tar").write_bytes(b"no archive at all" * 100)
    found = extract(tmp_path / "cut.tar", tmp_path / "out")
    assert found == {
        "a.png": OK_ROW,
        f"{ANSI}.png": OK_ROW,
        "z.png": ("failed", "corrupt_file"),
        "cut.tar#unreadable": ("failed", "corrupt_file"),
    }
    assert extract(tmp_path / "noise.tar", tmp_path / "out2") == {"noise.tar#unreadable": ("failed", "corrupt_file")}


def test_a_compressed_tar_with_damaged_bytes(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as archive:
        for number in range(5):
            member = tarfile.TarInfo(f"{number}.txt")
            member.size = 50_000
            letters = random.Random(number).choices("abcdefgh ,_", k=member.size)
            archive.addfile(member, io.BytesIO("".join(letters).encode()))
    raw = bytearray((tmp_path / "t.tar.gz").read_bytes())
    raw[40_000:40_100] = b"\xff" * 100
    (tmp_path / "t.tar.gz").write_bytes(raw)
    found = extract(tmp_path / "t.tar.gz", tmp_path / "out")
    assert found["0.txt"][0] == "ok"
    assert found["t.tar.gz#unreadable"] == ("failed", "corrupt_file")


def test_a_parquet_file_that_is_cut_short(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": ["1girl", "1boy"]}), tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(whole[: len(whole) // 2])
    assert extract(tmp_path / "t.parquet", tmp_path / "out") == {"t.parquet#unreadable": ("failed", "corrupt_file")}


NESTED = b'{"text": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"
ROWS: tuple[tuple[bytes, str, Outcome], ...] = (
    (b'{"id": "good", "text": "1girl"}', "good", OK_ROW),
    (b'{"id": "cut", "text": "1gi', "m.jsonl#2", ("failed", "bad_row")),
    (b"[1, 2]", "m.jsonl#3", ("failed", "bad_row")),
    (b"null", "m.jsonl#4", ("failed", "bad_row")),
    (NESTED, "m.jsonl#5", ("failed", "bad_row")),
    (b'{"id": 1' + b"0" * 5_000 + b"}", "m.jsonl#6", ("failed", "bad_row")),
    (b'{"id": "other"}', "other", ("failed", "bad_row")),
    (b'{"id": "sur\\ud800", "text": "1boy"}', "sur?", OK_ROW),
    (b'{"id": "a\\u001b[31m", "text": "\\u001b[31m, 1boy"}', "a\x1b[31m", OK_ROW),
    (b'{"id": "good", "text": "1boy"}', "good#2", OK_ROW),
    (b'{"id": "path", "image": "\\ud800.png", "text": "1boy"}', "path", ("partial", "not_found")),
    (b'{"id": "nul", "image": "a\\u0000.png"}', "nul", ("failed", "bad_row")),
    (b'{"id": "zero", "image": "/dev/zero"}', "zero", ("failed", "not_a_file")),
    (b'{"id": "url", "image": "nowhere://x.png"}', "url", ("failed", "bad_row")),
    (b'{"id": "long", "image": "' + b"n" * 5_000 + b'.png"}', "long", ("failed", "not_found")),
    (b'{"id": "list", "image": [1], "text": {"a": [null]}}', "list", ("partial", "bad_row")),
    (b'{"id": "number", "text": NaN}', "number", OK_ROW),
    (b'{"id": ["x"], "text": 1e999}', "['x']", OK_ROW),
    (b'{"id": "big", "text": "' + b"a" * 2**20 + b'"}', "m.jsonl#19", ("failed", "text_too_large")),
    (b"\xff\xfe\x00", "m.jsonl#20", ("failed", "bad_row")),
)


def test_a_manifest_with_broken_lines(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes(b"\n".join(raw for raw, _, _ in ROWS))
    assert extract(tmp_path / "m.jsonl", tmp_path / "out") == {name: outcome for _, name, outcome in ROWS}


def test_a_csv_with_broken_rows(tmp_path: Path) -> None:
    lines = ["id,text", "a,1girl", "b,1girl,too,many", '"c\nd",1boy', 'e,"never closed']
    (tmp_path / "m.csv").write_text("\n".join(lines))
    found = extract(tmp_path / "m.csv", tmp_path / "out")
    assert sorted(found.values(), key=str) == [("failed", "bad_row")] * 2 + [OK_ROW] * 2
