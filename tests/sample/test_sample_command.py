"""`charpipe sample` as a command."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from character_pipeline.cli.sample import sample

app = typer.Typer()
app.command()(sample)


def test_the_command_writes_a_data_set(tmp_path: Path) -> None:
    arguments = ["set", "--count", "3", "--noise", "light", "--style", "flat", "--style", "pixel", "--seed", "4"]
    arguments[0] = str(tmp_path / "set")
    result = CliRunner().invoke(app, [*arguments, "--size", "64", "--format", "jpg"])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert len(list((tmp_path / "set").glob("*.jpg"))) == 3
    assert (tmp_path / "set" / "truth.jsonl").is_file()
