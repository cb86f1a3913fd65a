"""The files for deployment hold together: what they name is there, and what can be checked here is well-formed."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[1]
DEPLOY = PROJECT / "deploy"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = run(linter, "--failure-threshold", "style", PROJECT / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_the_image_gets_all_that_the_dockerfile_copies() -> None:
    sent = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name
        for line in (PROJECT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    assert copied == sent
    assert all((PROJECT / name).exists() for name in copied)


def test_compose_mounts_what_is_there() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    mounts = [mount for service in services.values() for mount in service.get("volumes", ()) if mount.startswith("./")]
    missing = [mount for mount in mounts if not (DEPLOY / mount.split(":")[0]).exists()]
    assert missing == ["./prometheus.key:/etc/prometheus/charpipe.key:ro"], "a secret: it is made, not kept"
    assert yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"][0]["static_configs"] == [
        {"targets": ["charpipe:7860"]}
    ]


def test_the_dashboard_asks_the_source_that_is_set_up() -> None:
    source = yaml.safe_load((DEPLOY / "grafana" / "datasource.yaml").read_text())["datasources"][0]["uid"]
    panels = json.loads((DEPLOY / "grafana" / "charpipe.json").read_text())["panels"]
    assert {target["datasource"]["uid"] for panel in panels for target in panel["targets"]} == {source}
    assert all(panel["description"] for panel in panels)


def test_the_unit_starts_a_command_that_there_is() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # keys are as they are written
    unit.read(DEPLOY / "charpipe.service")
    words = unit["Service"]["ExecStart"].split()
    assert words[0].endswith("/charpipe")
    told = run(sys.executable, "-m", "character_pipeline", *words[1:2], "--help")
    assert told.returncode == 0
    assert all(word in told.stdout for word in words[2:] if word.startswith("--"))
