"""`charpipe train lora`: low-rank changes to the vision tower (Hu et al., 2021), merged into a checkpoint of its own.

The text tower stays as it is, and with it the embeddings of all prompts.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from character_pipeline.config import PipelineConfig
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError, MissingExtraError
from character_pipeline.evaluation.metrics import Floats
from character_pipeline.extractors.clip_analyzer import ClipReader
from character_pipeline.extractors.prompt_scoring import build_table
from character_pipeline.models.checkpoint import CONFIG
from character_pipeline.models.domain import DOMAIN
from character_pipeline.models.export import COPIED, quiet
from character_pipeline.models.load import resolve
from character_pipeline.models.machine import has_package, has_torch
from character_pipeline.models.manifest import MANIFEST, Manifest
from character_pipeline.models.plan import Plan
from character_pipeline.models.torch_backend import TorchEncoder, silence
from character_pipeline.training.calibration import Calibrated, calibrate
from character_pipeline.training.lora.lessons import MOST_PICTURES, Lessons, read_lessons
from character_pipeline.training.losses import lay_out, log_odds, prompt_loss
from character_pipeline.training.probes.making import part_of
from character_pipeline.training.probes.tagged import read_tagged
from character_pipeline.vocabulary.prompts import PromptBook, load_prompts

if TYPE_CHECKING:
    import torch

Say = Callable[[str], None]
VISION = ("vision_model.", "visual_projection")


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        rank: of the changes to each matrix.
    """

    passes: int = 4
    batch: int = 32
    rate: float = 5e-4
    rank: int = 8
    seed: int = 0


class Tuner:
    """A model whose vision tower learns to answer the prompts as tags do."""

    def __init__(self, plan: Plan, book: PromptBook, settings: Settings) -> None:
        import torch

        torch.manual_seed(settings.seed)
        self.plan, self.book, self.settings = plan, book, settings
        self.encoder = TorchEncoder(plan)
        self.asked, _ = lay_out(book)
        self.prompt_set = plan.checkpoint.manifest.prompt_set or "drawn"
        embed, logit = self.encoder.embed_texts, (self.encoder.scale, self.encoder.bias)
        # All questions, in the order of `lay_out`: also those that the model was not to be asked before.
        table = build_table(book, self.prompt_set, Manifest(views=plan.views), embed, logit, plan.views)
        self.answers = torch.from_numpy(table.answers).float().to(plan.device)

    @cached_property
    def adapted(self) -> Any:
        """The model with small matrices beside those of the vision tower; these alone learn."""
        import torch
        from peft import LoraConfig, get_peft_model

        names = [
            name
            for name, part in self.encoder.model.named_modules()
            if type(part) is torch.nn.Linear and name.startswith(VISION)
        ]
        rank = self.settings.rank
        with quiet():
            return get_peft_model(self.encoder.model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=names))

    def similarity(self, lessons: Lessons) -> torch.Tensor:
        """The logit of each prompt, (N, rows)."""
        import torch

        flat = [view for views in lessons.views for view in views]
        pixels = torch.from_numpy(self.plan.checkpoint.preprocessing(flat)).to(self.plan.device)
        found = self.encoder.model.get_image_features(pixel_values=pixels)
        vectors = torch.nn.functional.normalize(getattr(found, "pooler_output", found).float(), dim=-1)
        shown = vectors.reshape(len(lessons), -1)
        logits: torch.Tensor = (shown @ self.answers.T * self.encoder.scale + self.encoder.bias).cpu()
        return logits

    def look(self, lessons: Lessons) -> Floats:
        """As `similarity`, without learning."""
        import torch

        size = self.settings.batch
        with torch.no_grad():
            parts = [
                self.similarity(lessons.take(np.arange(at, min(at + size, len(lessons)))))
                for at in range(0, len(lessons), size)
            ]
        return torch.cat(parts).double().numpy()

    def train(self, lessons: Lessons, say: Say) -> None:
        """All passes."""
        import torch

        weights = [weight for weight in self.adapted.parameters() if weight.requires_grad]
        adam = torch.optim.AdamW(weights, lr=self.settings.rate)
        odds = log_odds(lessons.targets, self.book)
        chance = np.random.default_rng(self.settings.seed)
        for number in range(self.settings.passes):
            for group in adam.param_groups:
                group["lr"] = self.settings.rate * (1 - number / self.settings.passes)
            loss = self._pass(lessons, adam, odds, chance)
            say(f"pass {number + 1} of {self.settings.passes}: loss {loss:.4f}")

    def _pass(self, lessons: Lessons, adam: Any, odds: Mapping[str, Any], chance: np.random.Generator) -> float:
        order, size, losses = chance.permutation(len(lessons)), self.settings.batch, []
        for at in range(0, len(order), size):
            part = lessons.take(order[at : at + size])
            loss = prompt_loss(self.similarity(part), self.asked, part.targets, odds)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def write(self, calibrated: list[Calibrated], folder: Path, about: Mapping[str, Any]) -> None:
        """Write the model with its changes merged, aside first: what is not whole is not there."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
            aside = Path(temporary) / "model"
            with silence():
                self.adapted.merge_and_unload().save_pretrained(aside)
            for weights in aside.glob("*.safetensors"):  # which safetensors lets only their owner read
                shutil.copymode(aside / CONFIG, weights)
            for name in COPIED:
                source = self.plan.checkpoint.folder / name
                # Where the old tower was at home says nothing of the new one.
                if source.is_file() and name != DOMAIN and not (aside / name).exists():
                    shutil.copyfile(source, aside / name)
            table = json.dumps(self._manifest(calibrated, about), indent=2)
            (aside / MANIFEST).write_text(f"{table}\n", encoding="utf-8")
            aside.replace(folder)

    def _manifest(self, calibrated: list[Calibrated], about: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {key: {} for key in self.book.questions}  # what was not measured only hints
        for one in calibrated:
            wanted = self.book.questions[one.attribute].look
            look = tuple(view for view in wanted if view in self.plan.views) or ("whole",)
            attributes[one.attribute] = replace(one, look=look).to_manifest()
        return {
            "logit_scale": self.encoder.scale,
            "logit_bias": self.encoder.bias,
            "prompt_set": self.prompt_set,
            "views": list(self.plan.views),
            "attributes": attributes,
            "about": dict(about),
        }


def train_lora(  # noqa: PLR0913, PLR0917 - options of a command
    store: Store,
    config: PipelineConfig,
    folder: Path,
    settings: Settings,
    data: Path | None = None,
    truth: Path | None = None,
    say: Say = lambda line: None,
) -> dict[str, tuple[float, float]]:
    """Fine-tune the model of the settings, and write it as a checkpoint of its own.

    Returns, by attribute, how right it was before and after on characters that it did not learn from: the mean over
    values of the share that is told right.

    Raises ConfigError where there is nothing to learn from or the folder is taken, MissingExtraError without peft.
    """
    if not has_torch() or not has_package("peft"):
        raise MissingExtraError("charpipe train lora", "train")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already: name a folder that is not, or remove it")
    wanted = {"backend": "torch", "precision": "fp32", "on_missing": "error", "compile": False}
    plan = resolve(config.clip_analyzer.model_copy(update=wanted))
    book = load_prompts(store.vocabulary)
    tagged = read_tagged(store, truth, MOST_PICTURES)
    lessons = read_lessons(store, tagged, ClipReader(plan), book, config.input_loader, data)
    held = part_of(lessons.groups) == 0
    if held.all() or not held.any():
        raise ConfigError(f"{len(lessons):,} tagged pictures are too few: some are learnt from, others judged on")
    return _tune(Tuner(plan, book, settings), lessons.take(~held), lessons.take(held), folder, say)


def _tune(tuner: Tuner, learnt: Lessons, judged: Lessons, folder: Path, say: Say) -> dict[str, tuple[float, float]]:
    say(f"{len(learnt):,} pictures to learn from, {len(judged):,} to judge on")
    before = {one.attribute: one for one in calibrate(tuner.look(judged), tuner.asked, judged.targets, 0.0)}
    tuner.train(learnt, say)
    similarity = tuner.look(judged)
    after = calibrate(similarity, tuner.asked, judged.targets, 0.0)
    gains = {one.attribute: (_mean(before[one.attribute]), _mean(one)) for one in after if one.attribute in before}
    about = {
        "made_from": tuner.plan.checkpoint.name,
        "pictures": len(learnt),
        "settings": asdict(tuner.settings),
        "right_before_and_after": gains,
    }
    tuner.write(calibrate(similarity, tuner.asked, judged.targets), folder, about)
    return gains


def _mean(one: Calibrated) -> float:
    return float(np.mean(list(one.recalls.values()))) if one.recalls else float("nan")
