"""A picture seen as a whole and its head by itself: what is read, under which key, and what is told from which view."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file
from tests.extractors.finders import figure, make_finder
from tests.models.checkpoints import pictures

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.data import STATEMENT, View
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, ClipReader
from character_pipeline.extractors.head_finder import HeadFinder, head_view
from character_pipeline.extractors.prompt_scoring import build_table, unit
from character_pipeline.models.load import EMBEDDED, resolve
from character_pipeline.models.manifest import Manifest
from character_pipeline.vocabulary.prompts import PromptBook, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 24
BOTH: tuple[View, ...] = ("whole", "head")
HEADS: tuple[View, ...] = ("head",)
QUESTIONS = (
    Question("hair_color", "choice", {"Red": ("red hair",), "Blue": ("blue hair",)}, unsure=("no hair",)),
    Question("eye_color", "choice", {"Red": ("red eyes",), "Blue": ("blue eyes",)}, look=HEADS),
    Question("accessories", "each", {"Hat": ("a hat",)}, absent={"Hat": ("no hat",)}, look=BOTH),
)
BOOK = PromptBook({question.attribute: question for question in QUESTIONS}, {"drawn": ("{}",)})
PHRASES = ["red hair", "blue hair", "no hair", "red eyes", "blue eyes", "a hat", "no hat"]
LOGIT = (100.0, -3.0)


def axis(phrase: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.eye(SIZE, dtype=np.float32)[PHRASES.index(phrase)]
    return found


def embed(sentences: Sequence[str]) -> NDArray[np.float32]:
    return np.stack([axis(sentence) for sentence in sentences])


@pytest.fixture(scope="module")
def finder(tmp_path_factory: pytest.TempPathFactory) -> HeadFinder:
    return HeadFinder(make_finder(tmp_path_factory.mktemp("finder") / "finder.onnx"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint to be changed."""
    return Path(shutil.copytree(EMBEDDED, tmp_path / "model"))


def reader(
    folder: Path, finder: HeadFinder | None, views: Sequence[View] = BOTH, precision: str = "int8"
) -> ClipReader:
    table: dict[str, Any] = {"model_name": str(folder), "device": "cpu", "precision": precision, "views": list(views)}
    return ClipReader(resolve(ClipAnalyzerConfig.model_validate(table)), finder)


def figures(count: int = 5) -> list[Image.Image]:
    """With heads and without, of many shapes."""
    found = [figure((150 + 40 * n, 300), (20 * n, 10, 20 * n + 59, 69)) for n in range(count)]
    return [*found, *pictures(2), figure((300, 200), None)]


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_each_view_has_its_part_of_the_vector(finder: HeadFinder, precision: str) -> None:
    both, whole = reader(EMBEDDED, finder, precision=precision), reader(EMBEDDED, None, ["whole"], precision)
    picture = figures()[2]
    box = finder.find(picture)
    assert box is not None
    (vector,) = both.read([picture])
    parts = whole.read([picture, head_view(picture, box)])
    assert both.size == 2 * whole.size
    assert np.array_equal(vector, parts.ravel())
    assert not np.array_equal(*parts)


def test_without_a_head_the_whole_stands_in(finder: HeadFinder) -> None:
    both = reader(EMBEDDED, finder)
    (vector,) = both.read([figures()[-1]])
    whole_part, head_part = np.split(vector, 2)
    assert np.array_equal(whole_part, head_part)
    whole, head = both.prepare(figures()[-1])
    assert head is whole, "so it is not embedded twice"


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_vector_depends_on_its_picture_alone(finder: HeadFinder, precision: str) -> None:
    both, many = reader(EMBEDDED, finder, precision=precision), figures()
    wanted = both.read(many)
    assert np.array_equal(both.read([both.prepare(picture) for picture in many]), wanted)
    assert np.array_equal(both.read(many[::-1])[::-1], wanted)
    assert np.array_equal(both.read([many[0], *many, many[0]])[1:-1], wanted)
    assert np.array_equal(np.concatenate([both.read([picture]) for picture in many]), wanted)
    assert both.read([]).shape == (0, both.size)


def test_only_the_whole_is_as_it_ever_was() -> None:
    only, many = reader(EMBEDDED, HeadFinder(Path("no such file")), ["whole"]), figures()
    assert only.key == only.plan.key
    assert only.size == only.plan.checkpoint.size
    wanted = only.encoder.embed_pictures(many).astype(np.float16)
    assert only.read(many).tobytes() == wanted.tobytes()
    assert only.read([only.prepare(picture) for picture in many]).tobytes() == wanted.tobytes()


def test_the_key_names_the_views_and_the_finder(finder: HeadFinder, tmp_path: Path) -> None:
    other = HeadFinder(make_finder(tmp_path / "other.onnx", sure=-9.0))
    readers = [reader(EMBEDDED, None, ["whole"]), reader(EMBEDDED, finder), reader(EMBEDDED, other)]
    assert len({one.key for one in readers}) == 3
    assert "whole-head" in readers[1].key
    assert reader(EMBEDDED, finder, ["head", "whole"]).key == readers[1].key
    assert len({ClipAnalyzer(BOOK, one).version for one in readers}) == 3


def test_a_reader_travels_with_its_finder(finder: HeadFinder) -> None:
    both = reader(EMBEDDED, finder)
    wanted = both.read(figures())
    other = pickle.loads(pickle.dumps(both))
    assert other.key == both.key
    assert np.array_equal(other.read(figures()), wanted)


def test_a_reader_says_what_it_is_shown(finder: HeadFinder) -> None:
    assert reader(EMBEDDED, finder).describe() == "embedded, int8 on cpu, shown whole and head"


SIDES = st.integers(1, 400)
MODES = st.sampled_from(["RGB", "RGBA", "L", "P", "1", "CMYK"])
COLOURS = st.sampled_from(["red", "white", "#800000", "navy"])


@settings(max_examples=40, deadline=None)
@given(size=st.tuples(SIDES, SIDES), mode=MODES, colour=COLOURS)
def test_every_picture_has_one_vector(finder: HeadFinder, size: tuple[int, int], mode: str, colour: str) -> None:
    both = reader(EMBEDDED, finder)
    picture = Image.new("RGB", size, colour).convert(mode)
    found = both.read([picture])
    assert found.shape == (1, both.size)
    lengths = np.linalg.norm(found.astype(np.float64).reshape(2, -1), axis=1)
    assert lengths == pytest.approx([1.0, 1.0], abs=0.01)
    assert np.array_equal(both.read([both.prepare(picture)]), found)


def shown(whole: str, head: str) -> NDArray[np.float16]:
    return np.concatenate([axis(whole), axis(head)]).astype(np.float16)


def test_a_question_is_told_from_its_views() -> None:
    table = build_table(BOOK, "drawn", Manifest(views=BOTH), embed, LOGIT, BOTH)
    (found,) = table.logits(shown("red hair", "red eyes")[None])
    assert found.tolist() == pytest.approx([97, -3, -3, 97, -3, -3, -3])
    (found,) = table.logits(shown("red eyes", "red hair")[None])
    assert found.tolist() == pytest.approx([-3, -3, -3, -3, -3, -3, -3])
    (found,) = table.logits(shown("a hat", "no hat")[None])
    assert found.tolist() == pytest.approx([-3, -3, -3, -3, -3, 47, 47])


def test_a_view_that_was_not_read_is_the_whole() -> None:
    table = build_table(BOOK, "drawn", Manifest(views=BOTH), embed, LOGIT)
    (found,) = table.logits(axis("red eyes")[None])
    assert found.tolist() == pytest.approx([-3, -3, -3, 97, -3, -3, -3])


def test_a_checkpoint_knows_best_which_view_tells() -> None:
    looks = {"hair_color": {"look": ["head"], "trust": 0.9}, "eye_color": {"look": ["whole"], "trust": 0.9}}
    manifest = Manifest.model_validate({"views": list(BOTH), "attributes": looks})
    table = build_table(BOOK, "drawn", manifest, embed, LOGIT, BOTH)
    (found,) = table.logits(shown("red eyes", "red hair")[None])
    assert found.tolist() == pytest.approx([97, -3, -3, 97, -3])


def test_what_was_measured_on_other_views_only_hints() -> None:
    known = {question.attribute: {"trust": 0.9} for question in QUESTIONS}
    measured: dict[tuple[View, ...], Manifest] = {
        views: Manifest.model_validate({"views": list(views), "attributes": known}) for views in (("whole",), BOTH)
    }
    for views, manifest in measured.items():
        for read in measured:
            asked = build_table(BOOK, "drawn", manifest, embed, LOGIT, read).asked
            stated = {one.attribute: one.trust >= STATEMENT for one in asked}
            assert stated == {"hair_color": True, "eye_color": read == views, "accessories": read == views}


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_picture_is_judged_by_itself(count: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(count, 2 * SIZE)).astype(np.float16)
    table = build_table(BOOK, "drawn", Manifest(), embed, LOGIT, BOTH)
    whole = table.logits(vectors)
    assert np.allclose(whole, np.concatenate([table.logits(row[None]) for row in vectors]), rtol=0, atol=1e-11)
    heads, bodies = (unit(vectors[:, part]) for part in (slice(SIZE, None), slice(SIZE)))
    mean = (heads + bodies) @ axis("a hat") / 2 * 100 - 3
    assert np.allclose(whole[:, 5], mean)


def analyzer(folder: Path, finder: HeadFinder | None, views: Sequence[View], least: float = 0.0) -> ClipAnalyzer:
    return ClipAnalyzer(BOOK, reader(folder, finder, views), least)


def test_familiarity_is_that_of_the_whole(folder: Path, finder: HeadFinder) -> None:
    known = {question.attribute: {"trust": 0.9} for question in QUESTIONS}
    (folder / "charpipe.json").write_text(json.dumps({"views": BOTH, "attributes": known}))
    stage = analyzer(folder, finder, BOTH)
    (vector,) = stage.reader.read([figures()[0]])
    whole, head = np.split(vector, 2)
    domain = {"mean": unit(whole), "whiten": np.eye(len(whole)), "distances": np.linspace(0.001, 0.01, 50)}
    save_file(domain, folder / "domain.safetensors")
    seen = stage.quality.read(figures()[:1] * 2)
    familiar = stage._familiarity(np.stack([vector, np.concatenate([head, whole])]), seen)
    assert familiar[0] == 1.0
    assert familiar[1] < 0.5


def open_pipeline(place: Path, stage: ClipAnalyzer) -> CharacterPipeline:
    return create_pipeline({"database": {"db_path": str(place / "out.db")}}, extractors=[stage])


def test_other_views_are_read_anew_and_the_old_ones_stay(folder: Path, finder: HeadFinder, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for number, picture in enumerate(figures()):
        picture.save(tmp_path / "set" / f"{number}.png")
    counts = []
    only: tuple[View, ...] = ("whole",)
    for views in (only, BOTH, BOTH, only, BOTH):
        with open_pipeline(tmp_path, analyzer(folder, finder, views)) as pipeline:
            summary = pipeline.run(tmp_path / "set")
        assert not summary.counts.get("failed", 0)
        counts.append((summary.counts.get("pictures_read", 0), summary.counts.get("pictures_cached", 0)))
    assert counts == [(8, 0), (8, 0), (0, 0), (0, 8), (0, 8)]
