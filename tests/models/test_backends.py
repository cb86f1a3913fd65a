"""ONNX Runtime and torch say the same, and a picture's vector depends on that picture alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.errors import ItemError, ModelError
from character_pipeline.models.base import DualEncoder
from character_pipeline.models.batching import Batches
from character_pipeline.models.load import load_encoder, resolve
from character_pipeline.models.onnx_backend import check_provider, open_session
from tests.models.checkpoints import pictures

TEXTS = ["red hair", "a person with blue eyes and glasses", "brown", "a photo of a person with no hair", "a"]


def load(folder: Path, **settings: Any) -> DualEncoder:
    return load_encoder(ClipAnalyzerConfig(model_name=str(folder), device="cpu", **settings))


def test_onnx_says_what_torch_says(original: Path, exported: Path) -> None:
    torch, onnx = load(original), load(exported, precision="fp32")
    assert torch.size == onnx.size
    assert torch.scale == pytest.approx(onnx.scale)
    assert torch.bias == pytest.approx(onnx.bias)
    for one, other in (
        (torch.embed_pictures(pictures(6)), onnx.embed_pictures(pictures(6))),
        (torch.embed_texts(TEXTS), onnx.embed_texts(TEXTS)),
    ):
        assert one.shape == (len(one), torch.size)
        assert one.dtype == np.float32
        assert (one * other).sum(axis=1).min() > 0.9999


def test_int8_is_close(clip: Path) -> None:
    exact, coarse = load(clip, precision="fp32"), load(clip, precision="int8")
    assert exact.key != coarse.key
    assert (exact.embed_pictures(pictures(6)) * coarse.embed_pictures(pictures(6))).sum(axis=1).min() > 0.98
    assert (exact.embed_texts(TEXTS) * coarse.embed_texts(TEXTS)).sum(axis=1).min() > 0.98


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_vector_depends_on_its_picture_alone(clip: Path, precision: str) -> None:
    encoder, many = load(clip, precision=precision), pictures(11)
    whole = encoder.embed_pictures(many)
    for size in (1, 3, 7):
        parts = [encoder.embed_pictures(many[start : start + size]) for start in range(0, len(many), size)]
        assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(encoder.embed_pictures(many[::-1])[::-1], whole)
    texts = np.concatenate([encoder.embed_texts([text]) for text in TEXTS])
    assert np.array_equal(texts, encoder.embed_texts(TEXTS))


def test_torch_on_a_cpu_depends_on_the_picture_alone(original: Path) -> None:
    encoder, many = load(original), pictures(7)
    parts = [encoder.embed_pictures(many[start : start + 2]) for start in range(0, len(many), 2)]
    assert np.array_equal(np.concatenate(parts), encoder.embed_pictures(many))


def test_nothing_in_nothing_out(clip: Path) -> None:
    encoder = load(clip, precision="fp32")
    assert encoder.embed_pictures([]).shape == (0, encoder.size)
    assert encoder.embed_texts([]).shape == (0, encoder.size)


@pytest.mark.filterwarnings("ignore:MatMul8bitLt")
def test_bitsandbytes_on_a_cpu(clip: Path) -> None:
    pytest.importorskip("bitsandbytes")
    exact, coarse = load(clip, backend="torch"), load(clip, backend="torch", precision="int8")
    assert coarse.key.startswith("torch-int8-")
    assert (exact.embed_pictures(pictures(4)) * coarse.embed_pictures(pictures(4))).sum(axis=1).min() > 0.98


def test_threads_and_device_in_words(clip: Path) -> None:
    assert load(clip, precision="fp32", threads=1).device == "cpu, 1 thread"


class Greedy:
    """Work that fails for more than so many rows at a time, the way the libraries do."""

    def __init__(self, most: int, error: Exception) -> None:
        self.most = most
        self.error = error
        self.calls: list[int] = []

    def __call__(self, rows: Sequence[int]) -> Any:
        self.calls.append(len(rows))
        if len(rows) > self.most:
            raise self.error
        return np.array([[row, -row] for row in rows], dtype=np.float32)


class FakeOutOfMemoryError(RuntimeError):
    """Named and worded as torch's own."""


OUT_OF_MEMORY = [
    MemoryError(),
    FakeOutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    Exception("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : BFCArena::AllocateRawInternal Failed to allocate memory"),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("threads", [1, 3])
def test_too_little_memory_halves_the_batch(
    error: Exception, padded: bool, threads: int, caplog: pytest.LogCaptureFixture
) -> None:
    work, batches = Greedy(2, error), Batches(8, padded, threads)
    found = batches.run(range(11), 2, work)
    assert found[:, 0].tolist() == list(range(11))
    assert batches.limit == 2
    assert {8, 4, 2} <= set(work.calls)
    assert "going on with 4" in caplog.text
    work.calls.clear()
    batches.run(range(3), 2, work)
    assert max(work.calls) == 2


def test_one_row_too_much_fails_that_item() -> None:
    with pytest.raises(ItemError) as caught:
        Batches(4).run(range(3), 2, Greedy(0, MemoryError()))
    assert caught.value.kind == "out_of_memory"


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        Batches(4).run(range(3), 2, Greedy(0, ZeroDivisionError()))


def test_a_gpu_that_is_not_used_is_told(clip: Path, caplog: pytest.LogCaptureFixture) -> None:
    from dataclasses import replace

    plan = resolve(ClipAnalyzerConfig(model_name=str(clip), backend="onnx", precision="fp32", device="cpu"))
    session = open_session(str(plan.onnx_file("vision")), plan)
    check_provider(session, plan)
    assert not caplog.records
    check_provider(session, replace(plan, device="cuda", strict=False))
    assert "on the CPU, not on 'cuda'" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING
    with pytest.raises(ModelError, match="set clip_analyzer"):
        check_provider(session, replace(plan, device="cuda", strict=True))
