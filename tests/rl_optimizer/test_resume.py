"""A learner that was saved goes on as if it had never stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from character_pipeline.errors import CharpipeError, ConfigError, ModelError
from character_pipeline.rl_optimizer.dqn import Learner, fit, train
from character_pipeline.rl_optimizer.resume import load_learner, save_learner
from character_pipeline.rl_optimizer.settings import Settings
from tests.rl_optimizer.worlds import Chain

HOW = Settings(hidden=(16,), warmup=100, capacity=700, explore=1500, anneal=5000, bounds=(0.0, 3.0))


def learner() -> Learner:
    return Learner(12, 3, HOW)


def everything(one: Learner) -> bytes:
    networks = [*one.online.parameters(), *one.target.parameters()]
    columns = b"".join(one.replay.columns[name].tobytes() for name in sorted(one.replay.columns))
    return b"".join(weight.detach().numpy().tobytes() for weight in networks) + columns


def pretrained() -> Learner:
    one = learner()
    fit(one, np.eye(12), np.ones((12, 3)), np.ones((12, 3), dtype=np.bool_), 3)
    return one


@pytest.mark.parametrize("kept", [0, 600, 1200])
def test_resumed_training_gives_the_same_bits(tmp_path: Path, kept: int) -> None:
    whole, chain = pretrained(), Chain(8, seed=1)
    train(whole, chain, 2000)
    first, chain = pretrained(), Chain(8, seed=1)
    train(first, chain, kept)
    save_learner(first, tmp_path / "work" / "learner.safetensors", {"chain": chain.notes()})
    second, chain = learner(), Chain(8, seed=1)
    notes = load_learner(second, tmp_path / "work" / "learner.safetensors")
    assert notes is not None
    chain.restore(notes["chain"])
    train(second, chain, 2000 - kept)
    assert everything(second) == everything(whole)
    assert (second.updates, second.rng.random()) == (whole.updates, whole.rng.random())
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["learner.safetensors"]


def test_nothing_to_take_up(tmp_path: Path) -> None:
    assert load_learner(learner(), tmp_path / "none.safetensors") is None


def test_a_learner_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "learner.safetensors"
    save_learner(learner(), path)
    for other in (Learner(12, 4, HOW), Learner(12, 3, Settings())):
        with pytest.raises(ConfigError, match=r"another learner.*Delete it to begin anew"):
            load_learner(other, path)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "learner.safetensors"
    save_learner(learner(), path)
    raw = path.read_bytes()
    for damaged in (b"", raw[:200], raw[:-1], raw.replace(b"online.body.0.bias", b"online.body.0.bios")):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match="Delete it to begin anew"):
            load_learner(learner(), path)
    with pytest.raises(CharpipeError, match="is no file"):
        load_learner(learner(), tmp_path)
