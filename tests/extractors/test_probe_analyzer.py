"""Probes as a file, and what they claim."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save
from tests.models.checkpoints import make_clip

from character_pipeline.config import ClipAnalyzerConfig, PipelineConfig
from character_pipeline.data import Evidence, Item
from character_pipeline.errors import CharpipeError, ConfigError, ModelError
from character_pipeline.extractors import default_extractors
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, ClipReader
from character_pipeline.extractors.probe_analyzer import ProbeAnalyzer, make_probe_analyzer
from character_pipeline.extractors.probes import About, Head, HeadAbout, Probes, load_probes, save_probes
from character_pipeline.models.load import resolve
from character_pipeline.vocabulary import load_vocabulary

SIZE = 24
VOCABULARY = load_vocabulary()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("probes") / "model")


@pytest.fixture(scope="module")
def reader(model: Path) -> ClipReader:
    return ClipReader(resolve(ClipAnalyzerConfig(model_name=str(model), backend="torch", device="cpu")))


def head(attribute: str, ask: Any, values: tuple[str, ...], seed: int = 0, unsure: bool = False) -> Head:
    about = HeadAbout(attribute=attribute, ask=ask, values=values, unsure=unsure, tags=1_234)
    numbers = np.random.default_rng(seed).normal(0, 3, (about.rows, SIZE + 1)).astype(np.float32)
    return Head(about, numbers[:, :-1], numbers[:, -1])


def probes(key: str, *heads: Head) -> Probes:
    heads = heads or (
        head("hair_color", "choice", ("Red", "Black", "Blonde"), unsure=True),
        head("accessories", "each", ("Hat", "Glasses"), seed=1),
    )
    return Probes(About(model=key, name="tiny", size=SIZE), heads)


def items(reader: ClipReader, count: int, seed: int = 0) -> list[Item]:
    vectors = np.random.default_rng(seed).normal(size=(count, SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [Item(str(n), readings={reader.key: row.astype(np.float16)}) for n, row in enumerate(vectors)]


def told(found: list[tuple[Evidence, ...]]) -> list[list[tuple[str, str, float]]]:
    return [[(claim.attribute, claim.value, claim.score) for claim in some] for some in found]


def test_what_a_head_finds_probable_is_claimed(reader: ClipReader) -> None:
    plain = HeadAbout(attribute="gender", ask="choice", values=("Male", "Female"), tags=1_234)
    weights = np.zeros((2, SIZE), np.float32)
    weights[0, 0], weights[1, 0] = -4, 4
    stage = ProbeAnalyzer(probes(reader.key, Head(plain, weights, np.zeros(2, np.float32))), reader)
    shown = np.zeros(SIZE, np.float16)
    shown[0] = 1
    seen, unseen = stage.process([Item("a", readings={reader.key: shown}), Item("b")])
    assert [(claim.value, claim.score, claim.source) for claim in seen] == [("Female", 0.95, "probe_analyzer/1")]
    assert seen[0].origin == "probe: trained on 1,234 tags"
    assert unseen == ()


def test_what_cannot_be_told_is_not_claimed(reader: ClipReader) -> None:
    unsure = head("hair_color", "choice", ("Red", "Black"), unsure=True)
    bias = np.array([0, 0, 50], np.float32)
    stage = ProbeAnalyzer(probes(reader.key, replace(unsure, bias=bias)), reader, threshold=0.0)
    assert told(stage.process(items(reader, 5))) == [[]] * 5


@given(cuts=st.lists(st.integers(0, 40), max_size=6), seed=st.integers(0, 99))
def test_batches_change_nothing(cuts: list[int], seed: int, reader: ClipReader) -> None:
    stage = ProbeAnalyzer(probes(reader.key), reader, threshold=0.0)
    given_items = items(reader, 40, seed)
    edges = [0, *sorted(cuts), 40]
    parts = [stage.process(given_items[a:b]) for a, b in pairwise(edges)]
    assert told([found for part in parts for found in part]) == told(stage.process(given_items))


def test_a_file_comes_back_as_it_was(reader: ClipReader, tmp_path: Path) -> None:
    whole = probes(reader.key)
    save_probes(whole, tmp_path / "p.safetensors")
    back = load_probes(tmp_path / "p.safetensors")
    assert back.digest == whole.digest
    shown = items(reader, 9)
    assert told(ProbeAnalyzer(back, reader).process(shown)) == told(ProbeAnalyzer(whole, reader).process(shown))


def write(path: Path, tensors: dict[str, NDArray[Any]], about: Any) -> Path:
    path.write_bytes(save(tensors, metadata={"about": json.dumps(about)}))
    return path


KNOWN = {"attribute": "gender", "ask": "choice", "values": ["Male", "Female"], "tags": 3}
ABOUT = {"format": 1, "model": "m", "name": "n", "size": 4, "views": 1, "heads": [KNOWN]}
FITTING = {"weights.0": np.zeros((2, 4), np.float32), "bias.0": np.zeros(2, np.float32)}


@pytest.mark.parametrize(
    ("tensors", "about", "said"),
    [
        ({}, ABOUT, "it holds nothing, not weights and bias of 1 heads"),
        (FITTING | {"weights.0": np.zeros((2, 5), np.float32)}, ABOUT, r"weights \(2, 5\)"),
        (FITTING | {"weights.0": np.zeros((2, 4), np.float64)}, ABOUT, "not float32"),
        (FITTING | {"bias.0": np.full(2, np.nan, np.float32)}, ABOUT, "no numbers"),
        (FITTING | {"bias.0": np.full(2, 1e9, np.float32)}, ABOUT, "larger than"),
        (FITTING, ABOUT | {"format": 2}, "format"),
        (FITTING, ABOUT | {"size": 0}, "size"),
        (FITTING, ABOUT | {"size": 10**9}, "size"),
        (FITTING, ABOUT | {"views": 3}, "views"),
        (FITTING, ABOUT | {"more": 1}, "more"),
        (FITTING, ABOUT | {"heads": [KNOWN | {"values": ["Male", "Male"]}]}, "every name must be there once"),
        (FITTING, ABOUT | {"heads": [KNOWN | {"tags": -1}]}, "tags"),
        (FITTING, [1], "must be a JSON object"),
        (FITTING, ABOUT | {"digest": "0"}, "is damaged"),
    ],
)
def test_a_file_that_is_wrong_says_so(tensors: dict[str, NDArray[Any]], about: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        load_probes(write(tmp_path / "p.safetensors", tensors, about))
    assert "p.safetensors" in str(caught.value)
    assert "charpipe train probes" in str(caught.value)


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("raw") / "p.safetensors"
    path.write_bytes(raw)
    with pytest.raises(CharpipeError, match=r"p\.safetensors"):
        load_probes(path)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_a_changed_byte_is_noticed(
    place: int, change: int, reader: ClipReader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("changed") / "p.safetensors"
    whole = probes(reader.key)
    save_probes(whole, path)
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] ^= change
    path.write_bytes(raw)
    try:
        found = load_probes(path)
    except ModelError:
        return
    # What does not decide, such as provenance, may change; what decides may not.
    assert found.digest == whole.digest


def test_probes_of_another_model_are_refused(reader: ClipReader, tmp_path: Path) -> None:
    save_probes(probes("onnx-int8-of-another"), tmp_path / "p.safetensors")
    with pytest.raises(ConfigError, match=r"were trained on vectors of tiny \(onnx-int8-of-another\)") as caught:
        make_probe_analyzer(VOCABULARY, tmp_path / "p.safetensors", reader, 0.3)
    assert "charpipe train probes" in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("no_such", "choice", ("Red", "Black")), "unknown attribute 'no_such'"),
        (("hair_color", "choice", ("Red", "Ultraviolet")), "unknown value of Hair Color 'Ultraviolet'"),
        (("hair_color", "each", ("Red", "Black")), "Hair Color has one value"),
    ],
)
def test_probes_of_another_vocabulary_are_refused(
    wrong: tuple[str, Any, tuple[str, ...]], said: str, reader: ClipReader, tmp_path: Path
) -> None:
    save_probes(probes(reader.key, head(*wrong)), tmp_path / "p.safetensors")
    with pytest.raises(ConfigError, match=said):
        make_probe_analyzer(VOCABULARY, tmp_path / "p.safetensors", reader, 0.3)


def test_a_setting_puts_probes_beside_prompts_that_leave_them_their_values(
    model: Path, reader: ClipReader, tmp_path: Path
) -> None:
    save_probes(probes(reader.key), tmp_path / "p.safetensors")
    settings = {
        "model_name": str(model),
        "backend": "torch",
        "device": "cpu",
        "probes": str(tmp_path / "p.safetensors"),
    }
    stages = default_extractors(VOCABULARY, PipelineConfig.model_validate({"clip_analyzer": settings}))
    (prompts,) = (stage for stage in stages if isinstance(stage, ClipAnalyzer))
    (added,) = (stage for stage in stages if isinstance(stage, ProbeAnalyzer))
    assert added.reader is prompts.reader
    assert prompts.left == added.claimed
    prompts.threshold = 0.0
    shown = [
        Item(i.item_id, readings={**i.readings, prompts.quality.key: np.zeros(prompts.quality.size, np.float16)})
        for i in items(reader, 30)
    ]
    said = {(claim.attribute, claim.value) for found in prompts.process(shown) for claim in found}
    assert said
    assert not said & added.claimed
