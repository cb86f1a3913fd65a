"""The wheel, installed alone into a fresh environment: it is whole, it is light, and it does the main job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from character_pipeline import __version__
from tests.conftest import picture_bytes

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
DATA_SUFFIXES = {".toml", ".csv", ".txt", ".typed", ".jsonl", ".png", ".jpg", ".webp", ".onnx", ".json", ".safetensors"}
HEAVY = ("torch", "transformers", "gradio", "ray", "pandas", "sklearn", "scipy")
BUNDLED = "character_pipeline/sample/bundled"


def run(*words: object, cwd: Path) -> str:
    command, alone = [*map(str, words)], {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=500, env=alone)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=place)
    return next(place.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of an environment that has the wheel and its core dependencies."""
    place = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", place / "venv", cwd=place)
    pip = [place / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "-c", ROOT / "requirements.lock", wheel, cwd=place)
    return place / "venv" / "bin"


def test_all_data_files_are_in_the_wheel(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(SOURCE).as_posix()
        for path in (SOURCE / "character_pipeline").rglob("*")
        if path.suffix in DATA_SUFFIXES and path.is_file()
    }
    assert wanted <= packed
    vocabulary = ("vocabulary/vocabulary.toml", "vocabulary/tag_names.txt", "vocabulary/tags/people.csv")
    for name in ("py.typed", "attribute_fusion/weights.json", *vocabulary):
        assert f"character_pipeline/{name}" in packed
    assert not [name for name in packed if name.endswith((".pyc", ".db")) or name.startswith("tests")]


def test_the_environment_is_light(programs: Path, tmp_path: Path) -> None:
    found = json.loads(run(programs / "python", "-m", "pip", "list", "--format", "json", cwd=tmp_path))
    names = {package["name"].lower() for package in found}
    assert "character-pipeline" in names
    assert not names & set(HEAVY)
    run(programs / "python", "-m", "pip", "check", cwd=tmp_path)


def test_extract_and_show(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.png").write_bytes(picture_bytes())
    (tmp_path / "set" / "a.txt").write_text("1girl, solo, black_hair, ponytail, school_uniform")
    (tmp_path / "set" / "b.txt").write_text("A bald old man with a grey beard and glasses.")
    (tmp_path / "set" / "c.jpg").write_bytes(b"")
    run(programs / "charpipe", "extract", "set", "--output", "out", cwd=tmp_path)
    lines = (tmp_path / "out" / "records.jsonl").read_text().splitlines()
    records = {row["item_id"]: row for row in map(json.loads, lines)}
    assert {name: row["status"] for name, row in records.items()} == {"a.png": "ok", "b.txt": "ok", "c.jpg": "failed"}
    assert records["a.png"]["Hair Color"] == "Black"
    assert records["b.txt"]["Hair Style"] == "Bald"
    shown = json.loads(run(programs / "charpipe", "show", "set/a.png", "--json", cwd=tmp_path))
    assert shown["attributes"]["Dress"]["value"] == "School Uniform"
    assert run(programs / "charpipe", "--version", cwd=tmp_path).strip() == __version__


def test_the_bundled_samples(wheel: Path, programs: Path, tmp_path: Path) -> None:
    if not any(name.startswith(BUNDLED) for name in zipfile.ZipFile(wheel).namelist()):
        pytest.skip("this version bundles no samples")
    finder = "import character_pipeline as c, pathlib; print(pathlib.Path(c.__file__).parent)"
    package = Path(run(programs / "python", "-c", finder, cwd=tmp_path).strip())
    assert programs.parent in package.parents
    bundled = package.parent / BUNDLED
    run(programs / "charpipe", "extract", bundled, "--output", "out", cwd=tmp_path)
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["state"] == "finished"
    assert stats["statuses"].get("ok", 0) > 0
    assert not list(bundled.rglob("*.db"))
