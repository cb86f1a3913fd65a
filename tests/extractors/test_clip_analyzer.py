"""Pictures to evidence: what is claimed, how strongly, and when nothing is."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tests.models.checkpoints import make_clip, pictures

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.data import STATEMENT, Evidence, Item
from character_pipeline.extractors.base import PictureReader, ReadingStage
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, ClipReader, make_clip_analyzer
from character_pipeline.extractors.picture_quality import APPEARANCE
from character_pipeline.extractors.prompt_scoring import Asked, ScoreTable, build_table, probabilities, unit
from character_pipeline.models.load import resolve
from character_pipeline.models.manifest import Manifest
from character_pipeline.models.plan import Plan
from character_pipeline.models.prompt_cache import PromptCache, digest, write_embeddings
from character_pipeline.vocabulary import load_vocabulary
from character_pipeline.vocabulary.prompts import PromptBook, Question, load_prompts

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 24
HAIR = Question("hair_color", "choice", {"Red": ("red hair",), "Blue": ("blue hair",)}, unsure=("no hair",))
WORN = Question("accessories", "each", {"Hat": ("a hat",)}, absent={"Hat": ("no hat",)})
PEOPLE = Question("people", "choice", {"single": ("one",), "multiple": ("many",)})
PHRASES = ["red hair", "blue hair", "no hair", "a hat", "no hat", "one", "many"]
BOOK = PromptBook({q.attribute: q for q in (HAIR, WORN, PEOPLE)}, {"drawn": ("{}",), "photo": ("a photo of {}",)})


def axis(*phrases: str) -> NDArray[np.float32]:
    """The vector of a picture that shows just this: every phrase has an axis of its own."""
    vector = np.zeros(SIZE, dtype=np.float32)
    vector[[PHRASES.index(phrase) for phrase in phrases]] = 1.0
    return vector / np.float32(np.linalg.norm(vector))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose sentences are those of PHRASES, shipped as embeddings."""
    folder = make_clip(tmp_path_factory.mktemp("analyzer") / "model")
    write_embeddings(folder / "prompt_embeddings.safetensors", {digest(text): axis(text) for text in PHRASES})
    return folder


@pytest.fixture
def folder(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Path(shutil.copytree(bare, tmp_path / "model"))


def analyzer(folder: Path, trust: float | None = 0.9, threshold: float = 0.3, **more: Any) -> ClipAnalyzer:
    if trust is not None:
        known = {question: {"trust": trust, "temperature": 2.0} for question in BOOK.questions}
        (folder / "charpipe.json").write_text(json.dumps({"logit_scale": 100.0, "attributes": known | more}))
    plan = resolve(ClipAnalyzerConfig(model_name=str(folder), backend="torch", device="cpu"))
    return ClipAnalyzer(BOOK, ClipReader(plan), threshold)


def look(stage: ClipAnalyzer, *vectors: NDArray[np.float32]) -> list[tuple[Evidence, ...]]:
    return stage.process([Item("x", readings=readings(stage, vector)) for vector in vectors])


def readings(stage: ClipAnalyzer, vector: NDArray[np.float32]) -> dict[str, NDArray[np.float16]]:
    """As the model read a picture, of which nothing else is known."""
    return {stage.reader.key: vector.astype(np.float16), stage.quality.key: np.zeros(stage.quality.size, np.float16)}


def said(evidence: tuple[Evidence, ...]) -> dict[tuple[str, str], float]:
    return {(claim.attribute, claim.value): claim.score for claim in evidence}


def test_what_is_seen_is_claimed(folder: Path) -> None:
    stage = analyzer(folder)
    (found,) = look(stage, axis("red hair", "a hat", "one"))
    assert said(found) == {("hair_color", "Red"): 0.9, ("accessories", "Hat"): 0.9, ("people", "single"): 0.9}
    assert {claim.source for claim in found} == {"clip_analyzer/1"}
    assert found[0].origin == 'model: "red hair"'
    assert "encoder" not in vars(stage.reader), "shipped embeddings need no model"


def test_what_cannot_be_told_is_not_claimed(folder: Path) -> None:
    stage = analyzer(folder)
    unsure, absent, nothing = look(stage, axis("no hair", "no hat"), axis("no hat"), np.zeros(SIZE, np.float32))
    assert not {("hair_color", "Red"), ("hair_color", "Blue"), ("accessories", "Hat")} & said(unsure).keys()
    assert ("accessories", "Hat") not in said(absent)
    assert ("hair_color", "Red") not in said(nothing)


def test_a_model_that_was_never_measured_only_hints(folder: Path) -> None:
    (found,) = look(analyzer(folder, trust=None), axis("red hair", "a hat", "many"))
    assert said(found).keys() >= {("hair_color", "Red"), ("accessories", "Hat"), ("people", "multiple")}
    assert all(claim.score < STATEMENT for claim in found)


def test_people_are_stated_only_where_it_is_sure(folder: Path) -> None:
    mixed = unit(axis("one")[None] + 0.96 * axis("many")[None])[0].astype(np.float32)
    close, clear = look(analyzer(folder, trust=1.0), mixed, axis("one"))
    assert 0.3 <= said(close)["people", "single"] < STATEMENT
    assert said(clear)["people", "single"] >= STATEMENT


def test_only_what_the_manifest_names_is_claimed(folder: Path) -> None:
    stage = analyzer(folder, hair_color={"trust": 0.9, "values": ["Blue"]})
    assert [asked.values for asked in stage.table.asked] == [("Blue",), ("Hat",), ("single", "multiple")]
    (folder / "charpipe.json").write_text('{"attributes": {}}')
    assert look(analyzer(folder, trust=None), axis("red hair")) == [()]


def test_unfamiliar_pictures_say_less(folder: Path) -> None:
    mean = axis("red hair", "one").astype(np.float64)
    domain = {"mean": mean, "whiten": np.eye(SIZE), "distances": np.linspace(0.01, 0.5, 50)}
    save_file(domain, folder / "domain.safetensors")
    near, far = look(analyzer(folder), axis("red hair", "one"), axis("red hair"))
    assert said(near)["hair_color", "Red"] == 0.9
    assert said(far).get(("hair_color", "Red"), 0.0) < 0.5


def test_unfamiliar_appearance_says_less(folder: Path) -> None:
    mean = np.append(axis("red hair", "one").astype(np.float64), np.zeros(len(APPEARANCE)))
    domain = {"mean": mean, "whiten": np.eye(len(mean)), "distances": np.linspace(0.01, 0.5, 50)}
    save_file(domain, folder / "domain.safetensors")
    stage = analyzer(folder)
    near = readings(stage, axis("red hair", "one"))
    far = {**near, stage.quality.key: np.ones(stage.quality.size, np.float16)}
    likely, unlikely = stage.process([Item("near", readings=near), Item("far", readings=far)])
    assert said(likely)["hair_color", "Red"] == 0.9
    assert ("hair_color", "Red") not in said(unlikely)


def test_the_threshold_holds(folder: Path) -> None:
    assert look(analyzer(folder, trust=0.5, threshold=0.51), axis("red hair", "a hat", "one")) == [()]


def test_equal_claims_are_one_object(folder: Path) -> None:
    first, second = look(analyzer(folder), axis("red hair"), axis("red hair"))
    assert first[0] is second[0]


def test_an_item_without_a_vector_has_no_evidence(folder: Path) -> None:
    stage = analyzer(folder)
    item = Item("seen", readings=readings(stage, axis("red hair")))
    half = Item("half", readings={stage.reader.key: item.readings[stage.reader.key]})
    assert [bool(found) for found in stage.process([Item("text"), item, half])] == [False, True, False]


def test_the_version_changes_with_all_that_decides(folder: Path) -> None:
    versions = [analyzer(folder).version, analyzer(folder, threshold=0.4).version, analyzer(folder, trust=0.8).version]
    reader = analyzer(folder).reader
    versions.append(ClipAnalyzer(BOOK, reader, 0.3, "photo").version)
    (folder / "tokenizer_config.json").write_text("{}")
    versions.append(analyzer(folder).version)
    assert len(set(versions)) == len(versions)
    assert analyzer(folder).version == versions[-1]


def test_a_new_phrase_is_all_that_is_computed(folder: Path) -> None:
    stage = analyzer(folder)
    asked: list[str] = []

    def embed(sentences: Any) -> NDArray[np.float32]:
        asked.extend(sentences)
        return np.stack([axis("red hair") for _ in sentences])

    cache = PromptCache(SIZE, folder / "prompt_embeddings.safetensors", None)
    changed = Question("hair_color", "choice", {"Red": ("red hair", "crimson hair")}, unsure=("no hair",))
    book = PromptBook({"hair_color": changed}, BOOK.sets)
    build_table(book, "drawn", Manifest(), lambda texts: cache.embed(texts, embed), (100.0, 0.0))
    assert asked == ["crimson hair"]
    assert stage.table.asked


def test_the_real_thing_end_to_end(folder: Path) -> None:
    (folder / "prompt_embeddings.safetensors").unlink()
    settings = ClipAnalyzerConfig(model_name=str(folder), backend="torch", device="cpu", confidence_threshold=0.0)
    vocabulary = load_vocabulary()
    stage = make_clip_analyzer(vocabulary, settings)
    reader, _ = stage.readers
    assert isinstance(stage, ReadingStage)
    assert isinstance(reader, PictureReader)
    vectors = reader.read(pictures(5))
    assert vectors.shape == (5, reader.size)
    assert vectors.dtype == np.float16
    found = look(stage, *vectors)
    allowed = load_prompts(vocabulary).questions
    assert all(claim.value in allowed[claim.attribute].values for claims in found for claim in claims)
    assert any(found)
    again = make_clip_analyzer(vocabulary, settings)
    assert again.version == stage.version
    assert [said(one) for one in look(again, *vectors)] == [said(one) for one in found]
    assert "encoder" not in vars(again.reader), "the second time, no sentence is computed"


def test_a_reader_travels_without_its_model(folder: Path) -> None:
    reader = analyzer(folder).reader
    first = reader.read(pictures(2))
    raw = pickle.dumps(reader)
    assert len(raw) < 10_000
    other = pickle.loads(raw)
    assert isinstance(other.plan, Plan)
    assert other.key == reader.key
    assert np.array_equal(other.read(pictures(2)), first)


def test_a_prepared_picture_has_the_vector_of_the_whole_one(folder: Path) -> None:
    reader = analyzer(folder).reader
    many = [*pictures(4), *(picture.resize((32, 32)) for picture in pictures(2))]
    prepared = [reader.prepare(picture) for picture in many]
    assert {view.size for views in prepared for view in views} == {(32, 32)}
    assert np.array_equal(reader.read(prepared), reader.read(many))


def test_a_number_of_threads_in_the_settings_wins_over_the_share_of_the_run(folder: Path) -> None:
    base = ClipAnalyzerConfig(model_name=str(folder), backend="torch", device="cpu")
    for settings, wanted in ((base, 2), (base.model_copy(update={"threads": 1}), 1)):
        reader = ClipReader(resolve(settings))
        key = reader.key
        reader.threads = 2
        assert reader.threads == reader.plan.threads == wanted
        assert reader.plan.key == key


def test_a_reader_says_what_it_is(folder: Path) -> None:
    plan = resolve(ClipAnalyzerConfig(model_name=str(folder), backend="torch", device="cpu", threads=2))
    reader = ClipReader(plan)
    assert (reader.exclusive, reader.at_once) == (False, 128)
    assert reader.weight == (folder / "model.safetensors").stat().st_size
    assert reader.describe() == "model, fp32 on cpu"
    reader.read(pictures(1))
    assert reader.describe() == "model, fp32 on cpu, 2 threads"
    on_gpu = ClipReader(replace(plan, device="cuda", batch_size=128))
    assert (on_gpu.exclusive, on_gpu.at_once) == (True, 128)


LIGHT = """
import sys
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.extractors.clip_analyzer import make_clip_analyzer
from character_pipeline.vocabulary import load_vocabulary
stage = make_clip_analyzer(load_vocabulary(), ClipAnalyzerConfig(model_name=sys.argv[1], device="cpu"))
print(stage.version, stage.readers[0].key)
print([name for name in ("torch", "onnxruntime", "transformers", "onnx") if name in sys.modules])
"""


def test_the_key_loads_nothing_heavy(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


LOGITS = st.lists(st.floats(-300, 300), min_size=7, max_size=7)
ASKED = (
    Asked("hair_color", ("Red", "Blue"), ("red", "blue"), 0, unsure=2, temperature=0.5),
    Asked("accessories", ("Hat",), ("hat",), 3, absent=slice(4, 5)),
    Asked("people", ("single", "multiple"), ("one", "many"), 5),
)


@given(st.lists(LOGITS, min_size=1, max_size=6))
def test_probabilities_are_probabilities(rows: list[list[float]]) -> None:
    logits = np.array(rows)
    for asked in ASKED:
        chances, told = probabilities(asked, logits)
        assert chances.shape == (len(rows), len(asked.values))
        assert ((chances >= 0) & (chances <= 1)).all()
        assert (chances.sum(axis=1) <= 1 + 1e-6).all() or asked.absent
        assert told.shape == (len(rows),)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_picture_is_judged_by_itself(count: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    table = ScoreTable(ASKED, unit(chance.normal(size=(7, SIZE))), 100.0, -10.0)
    vectors = chance.normal(size=(count, SIZE)).astype(np.float16)
    order = chance.permutation(count)
    for asked in ASKED:
        whole = probabilities(asked, table.logits(vectors))[0]
        alone = [probabilities(asked, table.logits(vectors[[row]]))[0][0] for row in range(count)]
        assert np.array_equal(whole, np.stack(alone))
        assert np.array_equal(whole[order], probabilities(asked, table.logits(vectors[order]))[0])
