"""A policy answers with the same bytes in every batch, agrees with its network, and is read with distrust."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from character_pipeline.errors import ModelError
from character_pipeline.models.tensor_file import read_tensors, write_tensors
from character_pipeline.rl_optimizer.dqn import Learner
from character_pipeline.rl_optimizer.policy import (
    EXACT,
    ROWS,
    About,
    Layer,
    Policy,
    check_layers,
    load_policy,
    make_policy,
    save_policy,
)
from character_pipeline.rl_optimizer.settings import Settings

FEATURES, ACTIONS = 64, 7


def about(features: int = FEATURES, actions: int = ACTIONS, **others: Any) -> About:
    names = {"features": tuple(f"f{n}" for n in range(features)), "actions": tuple(f"a{n}" for n in range(actions))}
    return About(**names, **others)


def learner(seed: int = 0) -> Learner:
    return Learner(FEATURES, ACTIONS, Settings(seed=seed))


def policy(seed: int = 0) -> Policy:
    return make_policy(learner(seed).layers(), about(versions={"schema": "1"}, provenance={"seed": seed, "items": [1]}))


def everything_allowed(n: int) -> NDArray[np.bool_]:
    return np.ones((n, ACTIONS), dtype=np.bool_)


def test_the_rounded_policy_agrees_with_the_network() -> None:
    states = np.random.default_rng(1).normal(size=(5000, FEATURES))
    for seed in range(3):
        values, rounded = learner(seed).values(states), policy(seed).values(states)
        assert np.abs(values - rounded).max() < 1e-3
        assert (values.argmax(axis=1) == policy(seed).act(states, everything_allowed(5000))).mean() > 0.999


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 200), st.floats(1e-3, 1e6), st.booleans())
def test_batches_and_order_change_no_byte(seed: int, n: int, scale: float, narrow: bool) -> None:
    rng = np.random.default_rng(seed)
    wide = rng.normal(size=(n, FEATURES)) * scale * (rng.random((n, FEATURES)) < 0.7)
    states: NDArray[np.floating] = wide.astype(np.float32) if narrow else wide
    one, order, cuts = policy(seed % 3), rng.permutation(n), np.sort(rng.integers(n, size=3))
    whole = one.values(states)
    assert one.values(states[order]).tobytes() == whole[order].tobytes()
    assert b"".join(one.values(part).tobytes() for part in np.split(states, cuts)) == whole.tobytes()
    assert one.values(np.asfortranarray(states)).tobytes() == whole.tobytes()
    assert not np.signbit(whole[whole == 0]).any()


def test_many_states_are_as_single_ones() -> None:
    states = np.random.default_rng(0).normal(size=(2 * ROWS + 3, FEATURES))
    whole = policy().values(states)
    for place in (0, ROWS - 1, ROWS, 2 * ROWS + 2):
        assert policy().values(states[place : place + 1]).tobytes() == whole[place].tobytes()


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float64, (5, 3), elements=st.floats(-3e4, 3e4)),
    arrays(np.float64, 3, elements=st.floats(-2e6, 2e6)),
    st.lists(st.floats(-300, 300), min_size=5, max_size=5),
)
def test_what_is_accepted_is_exact(weights: NDArray[np.float64], bias: NDArray[np.float64], state: list[float]) -> None:
    try:
        one = make_policy([(weights, bias)], about(5, 3))
    except ModelError:
        return
    units = [round(min(max(x, -256.0), 256.0) * 2**16) for x in state]
    ((inner, inner_bias),) = one.layers
    for action in range(3):
        exact = sum(x * int(w) for x, w in zip(units, inner[:, action], strict=True)) + int(inner_bias[action])
        assert one.values(np.array([state]))[0, action] == exact / 2**32


def test_the_bound_is_the_one_written_down() -> None:
    at_most = EXACT // 2**24
    weights = np.full((1, 1), at_most, dtype=np.int32)
    check_layers([Layer(weights, np.array([0]))], 1, 1)
    for bad in (
        Layer(weights + 1, np.array([0])),
        Layer(weights, np.array([-1])),
        Layer(weights, np.array([-(2**63)])),
    ):
        with pytest.raises(ModelError, match="too large for exact sums"):
            check_layers([bad], 1, 1)


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e9])
def test_weights_without_sense_are_not_exported(number: float) -> None:
    with pytest.raises(ModelError, match="too large"):
        make_policy([(np.full((2, 2), number), np.zeros(2))], about(2, 2))


def test_ties_go_to_the_first_allowed_action() -> None:
    one = make_policy([(np.zeros((1, 4)), np.array([0.0, 1.0, 1.0, 1.0]))], about(1, 4))
    masks = np.array([[True] * 4, [True, False, True, True], [True, False, False, False]])
    assert one.act(np.zeros((3, 1)), masks).tolist() == [1, 2, 0]


def test_a_round_trip_changes_nothing(tmp_path: Path) -> None:
    one, path = policy(), tmp_path / "new" / "policy.safetensors"
    save_policy(one, path)
    again = load_policy(path)
    states = np.random.default_rng(2).normal(size=(50, FEATURES))
    assert (again.about, again.digest) == (one.about, one.digest)
    assert again.values(states).tobytes() == one.values(states).tobytes()


def test_the_digest_names_what_decides() -> None:
    one = policy()
    changed: list[dict[str, Any]] = [
        {"versions": {"schema": "2"}},
        {"actions": one.about.actions[::-1]},
        {"features": one.about.features[::-1]},
    ]
    digests = {dataclasses.replace(one, about=one.about.model_copy(update=change)).digest for change in changed}
    assert len(digests | {one.digest, policy(1).digest}) == 5
    elsewhere = one.about.model_copy(update={"provenance": {}})
    assert dataclasses.replace(one, about=elsewhere).digest == one.digest


def test_states_and_masks_that_do_not_fit_are_refused() -> None:
    one, states = policy(), np.zeros((2, FEATURES))
    with pytest.raises(ValueError, match="states have shape"):
        one.values(states[:, 1:])
    with pytest.raises(ValueError, match="NaN"):
        one.values(np.full((1, FEATURES), np.nan))
    for masks in (everything_allowed(1), ~everything_allowed(2), everything_allowed(2)[:, :1]):
        with pytest.raises(ValueError, match="masks must be"):
            one.act(states, masks)
    assert one.act(states[:0], everything_allowed(0)).shape == (0,)


def rewritten(path: Path, tensors: dict[str, Any] | None = None, **table: Any) -> None:
    """A policy's file, of which some parts are others."""
    save_policy(policy(), path)
    own, own_table = read_tensors(path, 2**20, "")
    changed = {name: value for name, value in (own | (tensors or {})).items() if value is not None}
    write_tensors(path, changed, own_table | table)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "format"),
        ({"features": []}, "features"),
        ({"features": ["a", "a"]}, "every name must be there once"),
        ({"features": ["x" * 1000]}, "at most 200"),
        ({"actions": ["stop"]}, "do not lead from 64 features to 1 actions"),
        ({"more": 1}, "more"),
        ({"digest": "0"}, "is damaged"),
        ({"versions": {"schema": "9"}}, "is damaged"),
        ({"tensors": {"bias.1": None}}, "not weights.0"),
        ({"tensors": {"extra": np.zeros(1)}}, "not weights.0"),
        ({"tensors": {"weights.0": np.zeros((FEATURES, 64))}}, "int32"),
        ({"tensors": {"bias.0": np.zeros((64, 1), dtype=np.int64)}}, "of 1"),
        ({"tensors": {"weights.1": np.zeros((63, 64), dtype=np.int32)}}, "do not lead"),
        ({"tensors": {"bias.0": np.full(64, 2**62)}}, "exact sums"),
        ({"tensors": {f"{k}.{n}": None for k in ("weights", "bias") for n in range(3)}}, "1 to 8 layers"),
    ],
)
def test_faulty_files_are_refused_with_their_fault(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    path = tmp_path / "policy.safetensors"
    rewritten(path, **change)
    with pytest.raises(ModelError, match=told) as caught:
        load_policy(path)
    assert str(path) in str(caught.value)
    assert "Fetch the policy again, or train it anew" in str(caught.value)


def test_what_is_no_policy_at_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    for raw in (b"", b"{}", b"\xff" * 100, (2**60).to_bytes(8, "little") + b"{}"):
        path.write_bytes(raw)
        with pytest.raises(ModelError, match="cannot be read"):
            load_policy(path)
    with path.open("wb") as file:
        file.truncate(2**27)
    with pytest.raises(ModelError, match="at most 67,108,864 are read"):
        load_policy(path)
    with pytest.raises(ModelError, match="is no file"):
        load_policy(tmp_path)


def test_damage_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    one, rng = policy(), np.random.default_rng(0)
    save_policy(one, path)
    raw = path.read_bytes()
    for place in [*range(0, 400, 7), *rng.integers(len(raw), size=100)]:
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << int(rng.integers(8))]) + raw[place + 1 :])
        with suppress(ModelError):
            assert load_policy(path).digest == one.digest  # what the damage hit says only where the policy comes from
