"""Outputs in odd places: read-only folders, files where folders should be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_cli import CHARPIPE, charpipe

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("1girl, black hair")
    charpipe("extract", tmp_path / "a.txt", "--output", tmp_path / "out", "--quiet")
    return tmp_path / "out"


def as_nobody(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command without the right to write."""
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere")
    command = [*(NOBODY if os.geteuid() == 0 else []), *CHARPIPE, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def freeze(output: Path) -> None:
    """Take the right to write to a folder away; where root runs the tests, nobody else gets in without help."""
    for path in [*output.iterdir(), output]:
        path.chmod(path.stat().st_mode & ~0o222)
    for parent in (parent for parent in output.parents if os.geteuid() == 0 and "pytest-" in parent.as_posix()):
        parent.chmod(0o755)


def test_a_database_in_a_folder_that_is_read_only_can_be_read(output: Path) -> None:
    charpipe("stats", output)
    freeze(output)
    done = as_nobody("query", output, "--where", "hair_color=Black", "--json")
    assert json.loads(done.stdout)["Hair Color"] == "Black", done.stderr
    refused = as_nobody("extract", output.parent / "a.txt", "--output", output)
    output.chmod(0o755)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "cannot be opened" in refused.stderr


@pytest.mark.parametrize("command", ["export", "extract"])
def test_an_output_that_is_a_file_is_refused(output: Path, command: str) -> None:
    given = output if command == "export" else output.parent / "a.txt"
    done = charpipe(command, given, "--output", output / "stats.json", code=1)
    assert done.stderr.startswith("charpipe: ")
    assert "File exists" in done.stderr


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    done = charpipe("extract", tmp_path / "set", "--output", tmp_path / "out")
    assert "nothing found" in done.stdout
    assert (tmp_path / "out" / "records.jsonl").read_bytes() == b""


def test_relative_paths_are_those_of_the_folder_one_is_in(output: Path) -> None:
    again = charpipe("extract", "../a.txt", "--output", ".", cwd=output)
    assert "0 items to do, 1 done before" in again.stderr
