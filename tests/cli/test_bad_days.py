"""What a machine may do to a run: a full disk, rights that are lost, a clock that goes backwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import charpipe, write_texts

ITEMS = 4_000
BACKWARDS = """
import itertools, sys, time
seconds = itertools.count(2_000_000_000, -3600)
time.time = lambda: float(next(seconds))
from character_pipeline.cli.main import run
sys.argv[0] = "charpipe"
run()
"""


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    write_texts(tmp_path / "t.jsonl", ITEMS)
    return tmp_path / "t.jsonl"


@pytest.fixture
def whole(texts: Path) -> bytes:
    """What a run without trouble exports."""
    charpipe("extract", texts, "--output", texts.parent / "whole", "--format", "jsonl", "--quiet")
    return (texts.parent / "whole" / "records.jsonl").read_bytes()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_what_is_done_is_kept(texts: Path, whole: bytes, small_disk: Path) -> None:
    command = ["extract", texts, "--output", small_disk / "out", "--format", "jsonl", "--quiet"]
    stopped = charpipe(*command, code=1)
    assert "Traceback" not in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1, stopped.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    done = charpipe(*command)
    assert "done before" in done.stdout
    assert (small_disk / "out" / "records.jsonl").read_bytes() == whole


def test_rights_that_are_lost_and_come_back(texts: Path, whole: bytes) -> None:
    out = texts.parent / "out"
    charpipe("extract", texts, "--output", out, "--format", "none", "--quiet", "--limit", 500)
    database = out / "character_attributes.db"
    database.chmod(0o400)
    subprocess.run(["chattr", "+i", str(database)], check=False, capture_output=True)
    try:
        if _is_writable(database):
            pytest.skip("nothing takes the right to write away from this user")
        lost = charpipe("extract", texts, "--output", out, "--format", "jsonl", "--quiet", code=1)
    finally:
        subprocess.run(["chattr", "-i", str(database)], check=False, capture_output=True)
        database.chmod(0o600)
    assert "Traceback" not in lost.stderr
    assert str(database) in lost.stderr
    charpipe("extract", texts, "--output", out, "--format", "jsonl", "--quiet")
    assert (out / "records.jsonl").read_bytes() == whole


def _is_writable(path: Path) -> bool:
    try:
        path.open("r+b").close()
    except OSError:
        return False
    return True


def test_a_clock_that_goes_backwards_changes_nothing(texts: Path, whole: bytes) -> None:
    out = texts.parent / "out"
    for limit in ("1500", "4000"):
        command = ["extract", str(texts), "--output", str(out), "--format", "jsonl", "--quiet", "--limit", limit]
        done = subprocess.run([sys.executable, "-c", BACKWARDS, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (out / "records.jsonl").read_bytes() == whole
    charpipe("feedback", out, "000007", "--set", "hair_color=Red")
    assert "Hair Color: Red" in charpipe("feedback", out).stdout
