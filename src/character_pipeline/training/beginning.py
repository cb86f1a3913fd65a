"""Begins a training with the weights of another one, which may have had other pictures and other styles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.config import ClipAnalyzerConfig
from character_pipeline.errors import ConfigError
from character_pipeline.models.load import EMBEDDED, load_encoder
from character_pipeline.models.manifest import read_manifest
from character_pipeline.training.resume import FILE, kept_weights
from character_pipeline.training.validation import AS_SHIPPED

if TYPE_CHECKING:
    import torch

    from character_pipeline.training.embedded import Trainer

WEIGHTS = "model.safetensors"
LOOKED_AT = 256
"""Pictures by which the length of a picture's vector is told."""


def begin_with(trainer: Trainer, folder: Path) -> dict[str, Any]:
    """Give a new training the weights that another one kept, from its --work folder, or from the model that it wrote;
    "embedded" is the model of the package. Returns the recipe of that model, as far as it is known.

    Raises ConfigError where nothing is there, where it is of another network, or where it was trained with another
    seed: pictures that are held out here were trained on there.
    """
    from safetensors import SafetensorError

    folder = EMBEDDED if str(folder) == "embedded" and not folder.is_dir() else folder
    recipe: dict[str, Any] = read_manifest(folder).about.get("recipe", {})
    settings = recipe.get("settings", {})
    try:
        if (folder / FILE).is_file():
            settings, weights = kept_weights(folder)
            trainer.parts.load_state_dict(weights)
        elif (folder / WEIGHTS).is_file():
            _take_model(trainer, folder)
        else:
            raise ConfigError(
                f"there is nothing to begin with in {folder}: give the --work folder of a training, a folder with a "
                "model that one wrote, or 'embedded'"
            )
    except (RuntimeError, KeyError, SafetensorError) as error:
        raise ConfigError(f"{folder} is damaged, or holds weights of another network: {error}") from error
    _check_seed(trainer, settings, folder)
    trainer.kept = {name: value.clone() for name, value in trainer.parts.state_dict().items()}
    return recipe


def _check_seed(trainer: Trainer, settings: Mapping[str, Any], folder: Path) -> None:
    own = trainer.settings.seed
    seed = settings.get("seed", own)
    if seed != own:
        raise ConfigError(
            f"{folder} was trained with the seed {seed}, not {own}: give --seed {seed}, or it is judged by pictures "
            "that it was trained on"
        )


def _take_model(trainer: Trainer, folder: Path) -> None:
    """The vision tower, and heads that answer nearly as its embeddings do: the prompts' vectors, seen from before the
    projection. A cosine also divides by the length of the picture's vector; heads take the mean length."""
    import torch
    from PIL import Image
    from safetensors.torch import load_file

    weights = load_file(folder / WEIGHTS)
    start = "vision_model."
    vision = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
    trainer.model.vision_model.load_state_dict(vision)
    projection = weights["visual_projection.weight"].float()
    pictures = [Image.fromarray(pixels) for pixels in trainer.corpus.pixels[:LOOKED_AT]]
    with torch.no_grad():
        seen = trainer.model.vision_model(pixel_values=torch.from_numpy(AS_SHIPPED(pictures))).pooler_output
        length = (seen @ projection.T).norm(dim=-1).mean()
        prompts, scale = _prompts(trainer, folder)
        trainer.heads.weight.copy_(scale / length * prompts @ projection)
        trainer.heads.bias.zero_()


def _prompts(trainer: Trainer, folder: Path) -> tuple[torch.Tensor, float]:
    """The vector of each prompt, (rows, width), and what cosines with it are multiplied by."""
    import torch

    encoder = load_encoder(ClipAnalyzerConfig(model_name=str(folder), device="cpu"))
    told = [trainer.book.sentences(row, trainer.settings.prompt_set) for row in trainer.rows]
    means = torch.stack([torch.from_numpy(encoder.embed_texts(sentences)).mean(0) for sentences in told])
    return torch.nn.functional.normalize(means, dim=-1), encoder.scale
