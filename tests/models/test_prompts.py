"""What comes with a checkpoint: manifest, domain, and the embeddings of prompts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from character_pipeline.errors import ModelError
from character_pipeline.models.domain import DOMAIN, read_domain
from character_pipeline.models.manifest import DEFAULT_TRUST, Manifest, read_manifest
from character_pipeline.models.prompt_cache import PromptCache, digest, write_embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Text:
    """A text model that counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        self.asked += sentences
        return np.array([[len(sentence), ord(sentence[0]), 0.0] for sentence in sentences], dtype=np.float32)


def test_a_sentence_is_computed_once(tmp_path: Path) -> None:
    own, text = tmp_path / "deep" / "own.safetensors", Text()
    first = PromptCache(3, None, own).embed(["red", "blue", "red"], text)
    assert text.asked == ["red", "blue"]
    again = PromptCache(3, None, own).embed(["red", "blue", "red"], text)
    assert np.array_equal(first, again)
    PromptCache(3, None, own).embed(["blue", "green"], text)
    assert text.asked == ["red", "blue", "green"]
    PromptCache(3, None, own).embed(["red", "green"], text)
    assert text.asked == ["red", "blue", "green"]
    assert [path.name for path in own.parent.iterdir()] == ["own.safetensors"]


def test_shipped_embeddings_come_first(tmp_path: Path) -> None:
    shipped, text = tmp_path / "shipped.safetensors", Text()
    write_embeddings(shipped, {digest("red"): np.array([1, 2, 3], dtype=np.float32)})
    found = PromptCache(3, shipped, None).embed(["blue", "red"], text)
    assert text.asked == ["blue"]
    assert found.tolist() == [[4, ord("b"), 0], [1, 2, 3]]


@pytest.mark.parametrize("damage", [b"", b"\x08\0\0\0\0\0\0\0notjson!", b"x" * 100])
def test_a_broken_cache_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    own, text = tmp_path / "own.safetensors", Text()
    own.write_bytes(damage)
    PromptCache(3, None, own).embed(["red"], text)
    PromptCache(3, None, own).embed(["red"], text)
    assert text.asked == ["red"]


def test_a_cache_of_another_size_is_left_out(tmp_path: Path) -> None:
    own, text = tmp_path / "own.safetensors", Text()
    write_embeddings(own, {digest("red"): np.zeros(5, dtype=np.float32)})
    assert PromptCache(3, None, own).embed(["red"], text).shape == (1, 3)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    PromptCache(3, None, tmp_path / "file" / "own.safetensors").embed(["red"], Text())
    assert "cannot be kept" in caplog.text


def test_manifest_defaults(tmp_path: Path) -> None:
    foreign = read_manifest(tmp_path)
    trust = foreign.trust("hair_color")
    assert trust is not None
    assert trust.trust == DEFAULT_TRUST < 0.5
    own = Manifest.model_validate({"attributes": {"hair_color": {"trust": 0.9}}})
    assert own.trust("eye_color") is None


def write_domain(folder: Path, size: int = 8) -> None:
    chance = np.random.default_rng(0)
    mean, whiten = chance.normal(size=size), np.diag(1 / np.linspace(0.5, 2.0, size))
    seen = mean + chance.normal(size=(2000, size)) @ np.linalg.inv(whiten)
    distances = np.sort(np.linalg.norm((seen - mean) @ whiten, axis=1))
    save_file({"mean": mean, "whiten": whiten, "distances": distances[::20].copy()}, folder / DOMAIN)
    np.save(folder / "seen.npy", seen)


def test_familiarity(tmp_path: Path) -> None:
    write_domain(tmp_path)
    domain = read_domain(tmp_path, 8)
    assert domain is not None
    seen = np.load(tmp_path / "seen.npy")
    known = domain.familiarity(seen)
    assert (known == 1.0).mean() == pytest.approx(0.95, abs=0.02)
    steps = domain.familiarity(domain.mean + np.linspace(0, 40, 200)[:, None] * np.ones(8))
    assert (np.diff(steps) <= 0).all()
    assert steps[0] == 1.0
    assert 0 < steps[-1] < 0.01
    assert np.array_equal(domain.familiarity(seen[:1]), known[:1])


def test_a_domain_of_another_model_is_refused(tmp_path: Path) -> None:
    assert read_domain(tmp_path, 8) is None
    write_domain(tmp_path)
    with pytest.raises(ModelError, match="does not fit a model of size 9"):
        read_domain(tmp_path, 9)
    (tmp_path / DOMAIN).write_bytes(b"broken")
    with pytest.raises(ModelError, match="cannot be used"):
        read_domain(tmp_path, 8)
