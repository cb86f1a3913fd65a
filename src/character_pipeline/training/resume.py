"""Saves a training after each pass, and takes it up again exactly where it was. Tensors and JSON only."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from character_pipeline.training.embedded import Trainer

FILE = "training.safetensors"


def save_training(trainer: Trainer, folder: Path) -> None:
    """Write the state of a training aside and put it in place, so that a kill leaves the one before."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{FILE}.part"
    save_file(_tensors(trainer), aside, metadata={"state": json.dumps(_numbers(trainer))})
    aside.replace(folder / FILE)


def load_training(trainer: Trainer, folder: Path) -> bool:
    """Take up a training from its folder; False where there is none.

    Raises ConfigError where the one that is there has other settings or other pictures.
    """
    path = folder / FILE
    if not path.is_file():
        return False
    state, tensors = _read(path)
    _check(trainer, state, path)
    _restore(trainer, tensors, state)
    return True


def kept_weights(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The settings of a training that was saved in a folder, and the averaged weights that it kept."""
    state, tensors = _read(folder / FILE)
    return state["settings"], _part(tensors, "kept.")


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        return json.loads(file.metadata()["state"]), tensors


def _check(trainer: Trainer, state: dict[str, Any], path: Path) -> None:
    own = _numbers(trainer)
    for key in ("settings", "pictures"):
        if state[key] != own[key]:
            raise ConfigError(
                f"{path} belongs to another training ({key}: {state[key]}, now: {own[key]}): "
                "give another --work folder, or delete it to begin anew"
            )


def _numbers(trainer: Trainer) -> dict[str, Any]:
    version, internal, gauss = trainer.words.getstate()
    return {
        "settings": asdict(trainer.settings),
        "pictures": len(trainer.corpus),
        "step": trainer.step,
        "done": trainer.done,
        "words": [version, list(internal), gauss],
    }


def _tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    found = {f"parts.{name}": value.clone() for name, value in trainer.parts.state_dict().items()}
    found |= {f"kept.{name}": value.clone() for name, value in trainer.kept.items()}
    found |= {"generator": trainer.generator.get_state()}
    return found | {f"optimizer.{name}": value for name, value in trainer.optimizer.tensors().items()}


def _part(tensors: dict[str, torch.Tensor], start: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _restore(trainer: Trainer, tensors: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    trainer.parts.load_state_dict(_part(tensors, "parts."))
    trainer.kept = _part(tensors, "kept.")
    trainer.generator.set_state(tensors["generator"])
    trainer.optimizer.restore(_part(tensors, "optimizer."))
    version, internal, gauss = state["words"]
    trainer.words.setstate((version, tuple(internal), gauss))
    trainer.step, trainer.done = state["step"], state["done"]
