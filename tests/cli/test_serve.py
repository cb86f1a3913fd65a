from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from character_pipeline.cli.serve import serve_settings
from character_pipeline.database.api_keys import list_keys
from character_pipeline.database.store import Store

ROOT = Path(__file__).parents[2]


def test_the_command_line_goes_before_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[serve]\nhost = "0.0.0.0"\nport = 1\n[database]\ndb_path = "elsewhere.db"\n')
    found = serve_settings(path, tmp_path, None, {"host": None, "port": 2})
    assert (found.serve.host, found.serve.port) == ("0.0.0.0", 2)
    assert found.database.db_path == str(tmp_path / "character_attributes.db")
    assert serve_settings(path, tmp_path, "my.db", {}).database.db_path == "my.db"
    assert serve_settings(path, Path("out"), str(tmp_path), {}).database.db_path.startswith(str(tmp_path))


def test_a_server_database_has_a_folder_for_batches(tmp_path: Path) -> None:
    found = serve_settings(None, tmp_path, "postgresql://me@db.example.org/x", {})
    assert found.serve.spool_path == str(tmp_path / "batches")


def test_without_the_extra_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['uvicorn'] = None; sys.argv[1:] = ['serve']; import gradio_app; gradio_app.run()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "charpipe serve needs the extra 'web': run pip install 'character-pipeline[web]'" in done.stderr


def test_the_command_line_stays_light() -> None:
    program = """import sys
from character_pipeline.cli import main
print([name for name in ("gradio", "fastapi", "uvicorn", "prometheus_client", "starlette") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    def keys(*command: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "character_pipeline", "keys", *command, "--db", str(tmp_path)]
        return subprocess.run(program, capture_output=True, text=True, check=False)

    key = keys("add", "[red]me[/]").stdout.strip()
    assert key.startswith("charpipe_")
    assert len(key) > 50
    assert keys("add", "[red]me[/]").returncode == 2
    assert keys("add", "a\nb").returncode == 2
    assert "[red]me[/]" in keys("list").stdout
    assert [one["name"] for one in json.loads(keys("list", "--json").stdout)] == ["[red]me[/]"]
    assert keys("revoke", "[red]me[/]").returncode == 0
    assert keys("revoke", "[red]me[/]").returncode == 2
    assert keys("list").stdout == ""


def test_keys_are_for_the_service_with_the_same_options(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "character_pipeline", "keys", "add", "me", "--output", "new"]
    subprocess.run(program, cwd=tmp_path, check=True, capture_output=True)
    place = serve_settings(None, tmp_path / "new", None, {}).database.db_path
    with closing(Store(place, writable=False)) as store:
        assert [one.name for one in list_keys(store)] == ["me"]
