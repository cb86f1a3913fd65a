"""Which model is loaded, what stands in for one that cannot be had, and what a damaged folder is told."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from character_pipeline.config import DEFAULT_MODEL, ClipAnalyzerConfig
from character_pipeline.errors import CharpipeError, ConfigError, MissingExtraError, ModelError
from character_pipeline.models import hub, load, machine
from character_pipeline.models.load import resolve
from character_pipeline.models.plan import Plan


def settings(name: object, **more: Any) -> ClipAnalyzerConfig:
    return ClipAnalyzerConfig(model_name=str(name), **more)


@pytest.fixture
def copy(clip: Path, tmp_path: Path) -> Path:
    """A checkpoint to be damaged."""
    return Path(shutil.copytree(clip, tmp_path / "copy"))


@pytest.fixture(autouse=True)
def untold() -> None:
    load._tell_once.cache_clear()


def test_a_folder_is_named_by_its_last_part(clip: Path) -> None:
    plan = resolve(settings(clip))
    assert plan.checkpoint.name == "both"
    assert str(clip.parent) not in plan.key


def test_the_key_follows_content_alone(clip: Path, copy: Path) -> None:
    key = resolve(settings(clip)).key
    assert resolve(settings(copy)).key == key
    table = json.loads((copy / "preprocessor_config.json").read_text())
    (copy / "preprocessor_config.json").write_text(json.dumps({**table, "resample": 2}))
    assert resolve(settings(copy)).key != key


def test_the_key_names_what_is_used(clip: Path) -> None:
    keys = {resolve(settings(clip, backend=b, precision=p)).key for b, p in (("onnx", "fp32"), ("onnx", "int8"))}
    keys.add(resolve(settings(clip, backend="torch", device="cpu")).key)
    assert sorted(key.rsplit("-", 1)[0] for key in keys) == ["onnx-fp32", "onnx-int8", "torch-fp32"]


def test_the_settings_say_what_is_shown_else_the_checkpoint(copy: Path) -> None:
    assert resolve(settings(copy)).views == ("whole",)
    (copy / "charpipe.json").write_text('{"views": ["head", "whole"]}')
    assert resolve(settings(copy)).views == ("whole", "head")
    assert resolve(settings(copy, views=["whole"])).views == ("whole",)
    (copy / "charpipe.json").unlink()
    assert resolve(settings(copy, views=["head", "whole", "head"])).views == ("whole", "head")


def test_what_is_there_is_used(original: Path, clip: Path) -> None:
    assert resolve(settings(original)).backend == "torch"
    assert resolve(settings(clip, device="cpu")).backend == "onnx"
    assert resolve(settings(clip, device="cpu")).precision == "int8"


DAMAGE = [
    ("config.json", None, "config.json is missing"),
    ("config.json", "{", "cannot be read as JSON"),
    ("config.json", "[]", "must hold a JSON object"),
    ("config.json", "{}", "projection_dim"),
    ("preprocessor_config.json", None, "preprocessor_config.json is missing"),
    ("preprocessor_config.json", "{}", "preprocessor_config.json"),
    ("tokenizer.json", None, "tokenizer.json is missing"),
    ("charpipe.json", "{", "cannot be read as JSON"),
    ("charpipe.json", '{"atributes": {}}', "atributes"),
    ("charpipe.json", '{"attributes": {"hair_color": {"trust": 2}}}', "attributes.hair_color.trust"),
    ("charpipe.json", '{"views": ["head"]}', "views: Value error, must name 'whole' too"),
    ("charpipe.json", '{"views": 3}', "must be a list of views. Allowed: whole, head"),
    (
        "charpipe.json",
        '{"attributes": {"age": {"look": ["face"]}}}',
        "attributes.age.look: Value error, must be a list",
    ),
]


@pytest.mark.parametrize(("file", "content", "told"), DAMAGE)
def test_damaged_folders(copy: Path, file: str, content: str | None, told: str) -> None:
    if content is None:
        (copy / file).unlink()
    else:
        (copy / file).write_text(content)
    with pytest.raises(ModelError) as caught:
        resolve(settings(copy))
    assert told in str(caught.value)
    assert isinstance(caught.value, ConfigError)


def test_damaged_weights(copy: Path) -> None:
    (copy / "onnx" / "vision_model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"vision_model\.onnx cannot be loaded"):
        load.load_encoder(settings(copy, backend="onnx", precision="fp32"))
    (copy / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="cannot be loaded by transformers"):
        load.load_encoder(settings(copy, backend="torch"))


def test_formats_that_run_code_are_refused(copy: Path) -> None:
    shutil.rmtree(copy / "onnx")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only as pytorch_model\.bin.*can run code"):
        resolve(settings(copy))
    (copy / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        resolve(settings(copy))


def test_nothing_that_runs_code_is_ever_fetched() -> None:
    for wanted in (hub.patterns(True, "auto"), hub.patterns(False, "int8")):
        assert all(name.endswith((".json", ".safetensors", ".onnx*")) for name in wanted)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"backend": "onnx", "precision": "bf16"}, "no ONNX file for the precision 'bf16'"),
        ({"device": "cuda:7"}, "finds no GPU here"),
    ],
)
def test_what_cannot_be_is_told(clip: Path, more: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpu_capability", lambda: None)
    with pytest.raises(ModelError, match=told):
        resolve(settings(clip, **more))


def test_without_torch(clip: Path, original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "has_torch", lambda: False)
    assert resolve(settings(clip)).backend == "onnx"
    with pytest.raises(MissingExtraError, match=r"pip install 'character-pipeline\[clip\]'"):
        resolve(settings(original))


def test_the_default_falls_back_and_says_so_once(
    clip: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(machine, "has_torch", lambda: False)
    monkeypatch.setattr(hub, "fetch", lambda *_: pytest.fail("the light core asks no network for the default model"))
    plans = [resolve(ClipAnalyzerConfig(), clip) for _ in range(3)]
    assert {plan.checkpoint.name for plan in plans} == {"charpipe-embedded"}
    assert not caplog.records, "nobody has asked for a picture yet"
    for plan in plans:
        load.tell(plan)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"the small embedded model reads the pictures, not {DEFAULT_MODEL}: that one needs the extra 'clip'. "
        "To get that one: pip install 'character-pipeline[clip]'"
    )


def test_with_torch_and_no_network_the_export_is_told(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    load.tell(resolve(ClipAnalyzerConfig(), clip))
    assert "HF_HUB_OFFLINE forbids to ask the hub. To get that one: run this again with a network" in caplog.text


def test_a_model_that_was_asked_for_is_not_introduced(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    load.tell(resolve(settings(clip)))
    load.tell(resolve(settings("embedded"), clip))
    assert not caplog.records


def test_a_name_of_your_own_does_not_fall_back(clip: Path) -> None:
    for name in ("someone/some-model", "./no/such/folder"):
        with pytest.raises(ModelError, match=r"clip_analyzer\.model_name|no folder here"):
            resolve(settings(name), clip)
        assert resolve(settings(name, on_missing="fallback"), clip).checkpoint.name == "charpipe-embedded"
    with pytest.raises(CharpipeError):
        resolve(ClipAnalyzerConfig(on_missing="error"), clip)


def test_embedded_by_its_name(clip: Path, tmp_path: Path) -> None:
    assert resolve(settings("embedded"), clip).checkpoint.name == "charpipe-embedded"
    with pytest.raises(ModelError, match="not in this installation"):
        resolve(settings("embedded"), tmp_path / "nothing")


def test_what_was_fetched_before_needs_no_network(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = hub.cache_folder() / "models--someone--some-model"
    shutil.copytree(clip, place / "snapshots" / ("a" * 40))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("a" * 40)
    monkeypatch.setattr(hub, "fetch", lambda *_: pytest.fail("it is cached"))
    plan: Plan = resolve(settings("someone/some-model"))
    assert plan.checkpoint.name == "someone/some-model"


ASK = """
import time
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.errors import ModelError
from character_pipeline.models.load import resolve
from character_pipeline.models.plan import Plan
import huggingface_hub
start = time.monotonic()
try:
    resolve(ClipAnalyzerConfig(model_name="someone/some-model"))
except ModelError as error:
    print(round(time.monotonic() - start, 1), error)
"""


def test_a_hub_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        heard: list[Any] = []
        threading.Thread(target=lambda: heard.append(silent.accept()), daemon=True).start()
        start = time.monotonic()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        around = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": ""}
        done = subprocess.run(
            [sys.executable, "-c", ASK], env=around, capture_output=True, text=True, check=True, timeout=60
        )
    assert heard
    heard[0][0].close()
    seconds = float(done.stdout.split()[0])
    assert seconds < hub.PROBE_SECONDS + 3
    assert time.monotonic() - start < 40
    assert "cannot be had" in done.stdout


DEFAULT = """
import logging
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.models.load import resolve
logging.basicConfig(level="DEBUG", format="%(message)s")
print(resolve(ClipAnalyzerConfig(backend="torch")).note)
"""


def test_without_a_network_the_default_is_missed_in_plain_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    around = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": ""}
    command = [sys.executable, "-c", DEFAULT]
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.startswith(
        f"the small embedded model reads the pictures, not {DEFAULT_MODEL}: "
        "it is not on this machine yet, and there is no network to fetch it. To get that one: run this again with"
    )
    assert "Error" not in done.stdout
    assert "ConnectError" in done.stderr, "who looks for the cause finds it"
