"""Saves a learner, and takes it up again exactly where it was: it goes on as if it had never stopped. Or begins one
with the network of a finished policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.errors import ConfigError, ModelError
from character_pipeline.models.tensor_file import Tensors, read_tensors, write_tensors
from character_pipeline.rl_optimizer.dqn import Learner
from character_pipeline.rl_optimizer.policy import UNIT, Policy
from character_pipeline.rl_optimizer.settings import Settings

MOST_BYTES = 8 * 2**30
REMEDY = "Delete it to begin anew"
KINDS = ("weight", "bias")


def save_learner(learner: Learner, path: Path, notes: Mapping[str, Any] | None = None) -> None:
    """Write all that decides how a learner goes on to a .safetensors file.

    Args:
        notes: JSON of the caller's own, such as where the environments are.
    """
    state = {
        **_identity(learner),
        "updates": learner.updates,
        "added": learner.replay.added,
        "rng": learner.rng.bit_generator.state,
        "notes": dict(notes or {}),
    }
    write_tensors(path, _tensors(learner), state)


def load_learner(learner: Learner, path: Path) -> dict[str, Any] | None:
    """Take up what `save_learner` wrote, into a fresh learner. Returns the caller's notes; None where there is no file.

    Raises ConfigError where the file is of a learner with other settings or sizes; ModelError where it is damaged.
    """
    if not path.exists():
        return None
    tensors, state = read_tensors(path, MOST_BYTES, REMEDY)
    for key, own in _identity(learner).items():
        if state.get(key) != own:
            raise ConfigError(
                f"{path} belongs to another learner ({key}: {str(state.get(key))[:500]}, now: {own}). {REMEDY}"
            )
    try:
        _restore(learner, tensors, state)
        return dict(state["notes"])
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ModelError(f"{path} is damaged: {type(error).__name__}: {str(error)[:300]}. {REMEDY}") from error


def learner_of(policy: Policy, settings: Settings) -> Learner:
    """A learner that begins with the network of a policy; its optimizer begins anew.

    Weights and the biases of hidden layers are those of the file to the last bit, those of the actions as near as
    float32 comes.
    """
    *hidden, last = [(weights.T / UNIT, bias / UNIT**2) for weights, bias in policy.layers]
    about, widths = policy.about, tuple(len(bias) for _, bias in hidden)
    learner = Learner(len(about.features), len(about.actions), replace(settings, hidden=widths))
    heads = {"value": tuple(part.mean(axis=0, keepdims=True) for part in last), "advantage": last}
    layers = {**{f"body.{2 * number}": layer for number, layer in enumerate(hidden)}, **heads}
    parts = {f"{name}.{kind}": part for name, layer in layers.items() for kind, part in zip(KINDS, layer, strict=True)}
    for network in (learner.online, learner.target):
        network.load_state_dict(_torch({name: part.astype(np.float32) for name, part in parts.items()}))
    return learner


def _identity(learner: Learner) -> dict[str, Any]:
    """What a learner must share with the file it is taken up from, as JSON has it."""
    found = {"features": learner.features, "actions": learner.actions, "settings": asdict(learner.settings)}
    identity: dict[str, Any] = json.loads(json.dumps(found))
    return identity


def _tensors(learner: Learner) -> Tensors:
    found = {f"online.{name}": value.numpy() for name, value in learner.online.state_dict().items()}
    found |= {f"target.{name}": value.numpy() for name, value in learner.target.state_dict().items()}
    for number, moments in learner.adam.state_dict()["state"].items():
        found |= {f"adam.{number}.{name}": value.numpy() for name, value in moments.items()}
    kept = len(learner.replay)
    return found | {f"replay.{name}": column[:kept] for name, column in learner.replay.columns.items()}


def _part(tensors: Tensors, start: str) -> Tensors:
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _restore(learner: Learner, tensors: Tensors, state: Mapping[str, Any]) -> None:
    for start, network in (("online.", learner.online), ("target.", learner.target)):
        network.load_state_dict(_torch(_part(tensors, start)))
    moments: dict[int, dict[str, Any]] = {}
    for name, value in _torch(_part(tensors, "adam.")).items():
        number, key = name.split(".")
        moments.setdefault(int(number), {})[key] = value
    learner.adam.load_state_dict({**learner.adam.state_dict(), "state": moments})
    learner.updates, learner.replay.added = int(state["updates"]), int(state["added"])
    learner.rng.bit_generator.state = state["rng"]
    for name, column in learner.replay.columns.items():
        column[: len(learner.replay)] = tensors[f"replay.{name}"]


def _torch(tensors: Tensors) -> dict[str, Any]:
    import torch

    return {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
