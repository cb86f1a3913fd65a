"""Muon and AdamW under one schedule."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from character_pipeline.training.optimizer import fast_products, fast_type, make_optimizers, orthogonal


@settings(deadline=None, max_examples=25)
@given(st.integers(24, 60), st.integers(130, 200), st.integers(0, 1000))
def test_steps_are_nearly_orthogonal(rows: int, columns: int, seed: int) -> None:
    step = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    found = torch.linalg.svdvals(orthogonal(step))
    assert 0.4 < float(found.min()) <= float(found.max()) < 1.6
    assert orthogonal(step.reshape(rows, columns, 1)).shape == (rows, columns, 1)


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 4))


def loss_of(model: torch.nn.Sequential) -> torch.Tensor:
    pixels = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.cross_entropy(model(pixels), torch.arange(64) % 4)


def test_it_learns_and_goes_on_from_its_state() -> None:
    first = network()
    optimizer = make_optimizers(first, 3e-3)
    assert len(optimizer.matrices) == 1
    start = float(loss_of(first).detach())
    for number in range(20):
        optimizer.step(loss_of(first), number / 40)
    second = network()
    second.load_state_dict(first.state_dict())
    other = make_optimizers(second, 3e-3)
    other.restore(optimizer.tensors())
    for number in range(20, 40):
        optimizer.step(loss_of(first), number / 40)
        other.step(loss_of(second), number / 40)
    assert float(loss_of(first).detach()) < 0.6 * start
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)


def test_numbers_without_sense_stop_a_training() -> None:
    model = network()
    with pytest.raises(RuntimeError, match="non-finite"):
        make_optimizers(model, 1e-3).step(loss_of(model) * float("nan"), 0.0)


@pytest.mark.parametrize(
    ("there", "wanted"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"bf16": True}, torch.bfloat16), ({}, torch.float32)],
)
def test_half_precision_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, bool], wanted: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: there)
    with fast_products():
        found = torch.ones(4, 4) @ torch.ones(4, 4)
    assert found.dtype == fast_type() == wanted
