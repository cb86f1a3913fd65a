"""What the README shows is what happens."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from character_pipeline import __version__
from tests.readme import BLOCK, README, ROOT, Place, masked, refreshed, settings_table, settled

ENDINGS = {".md", ".yaml", ".service", ".toml"}
TEXT = README.read_text(encoding="utf-8")


@pytest.mark.skipif(find_spec("datasets") is None, reason="one block needs the package datasets")
def test_every_block_prints_what_is_shown(tmp_path: Path) -> None:
    """If this fails after a change that is meant: python -m tests.readme"""
    real = refreshed(TEXT, Place(tmp_path / "place"))
    assert masked(settled(real, TEXT)) == masked(TEXT)


def test_only_the_last_digit_may_differ() -> None:
    shown = "error 0.240, 0.021, twice 1.5 and 2"
    assert settled("error 0.239, 0.021, twice 1.5 and 2", shown) == shown
    for other in ("error 0.238, 0.021, twice 1.5 and 2", "error 0.240, 0.021, twice 1.6 and 2", "error 0.240"):
        assert settled(other, shown) != shown


def test_no_block_escapes_the_test() -> None:
    python = len(re.findall(r"^```python\n", TEXT, re.MULTILINE))
    assert python == len(re.findall(r"^```python\n.*?^```\n\n```text\n", TEXT, re.DOTALL | re.MULTILINE))
    for kind, body in BLOCK.findall(TEXT):
        assert kind in {"python", "console", "text", "sh"}
        assert kind == "console" or not re.search(r"^(\$ )?charpipe ", body, re.MULTILINE)


def test_the_settings_are_those_of_the_program() -> None:
    assert settings_table() in TEXT
    assert "None" not in settings_table().replace("`null`", "")


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_every_command_is_mentioned() -> None:
    from character_pipeline.cli.main import app

    for command in app.registered_commands:
        assert f"charpipe {command.name}" in TEXT


def test_every_option_that_is_shown_is_there() -> None:
    import typer

    from character_pipeline.cli.main import app

    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "Dockerfile"]
    pages += [path for folder in ("docs", "deploy") for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS]
    shown = [line for path in pages for line in re.findall(r"\bcharpipe ([a-z][^`\n|#;]*)", path.read_text("utf-8"))]
    wrong = []
    for line in shown:
        command: Any = typer.main.get_command(app)
        for word in re.findall(r"[a-z-]+", line):
            command = getattr(command, "commands", {}).get(word, command)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        wrong += [(line, option) for option in re.findall(r"(?<!\S)--[\w-]+", line) if option not in {*known, "--help"}]
    assert len(shown) > 80
    assert not wrong


def test_the_version_is_in_the_changelog() -> None:
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
