"""Writes drawings as a data set: pictures, sidecars, and truth.jsonl."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from character_pipeline.errors import ConfigError, unknown_name
from character_pipeline.sample.drawing import Drawing, draw, render
from character_pipeline.sample.noise import Noise, check_noise, find_noise, noisy_picture, noisy_tags
from character_pipeline.sample.styles import find_style
from character_pipeline.sample.words import sentence

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Mapping[str, Mapping[str, Any]] = {
    "png": {"compress_level": 4},
    "jpg": {"quality": 90},
    "webp": {"quality": 84, "method": 2},
}
SIDECARS = ("tags", "mixed")
FOLDER = 10_000
"""Above so many pictures, they are put into folders of as many each."""
MAX_COUNT = 1_000_000
SEEDS_APART = 1_000_003


@dataclass(frozen=True, slots=True)
class Plan:
    """What `write_samples` was asked for, checked."""

    count: int
    seed: int
    noise: str
    styles: tuple[str, ...]
    size: int
    formats: tuple[str, ...]
    sidecars: str

    def name(self, index: int) -> str:
        """The item id of a picture, without its ending."""
        plain = f"{index:0{max(4, len(str(self.count - 1)))}d}"
        return plain if self.count <= FOLDER else f"{index // FOLDER:03d}/{plain}"


def write_samples(  # noqa: PLR0913, PLR0917
    out: Path,
    count: int,
    seed: int = 0,
    noise: str = "none",
    styles: Sequence[str] | None = None,
    size: int = 512,
    progress: Callable[[int], None] | None = None,
    *,
    formats: Sequence[str] = ("png", "jpg", "webp"),
    sidecars: str = "tags",
) -> None:
    """Write `count` labelled pictures with their tags into the folder `out`, and the truth into its truth.jsonl.

    The same arguments write the same data set. One picture is in memory at a time.

    Args:
        count: 1 to 1,000,000.
        noise: "none", "light" or "heavy": what goes wrong with tags and pictures; or "mixed": every item has one of
            five regimes, which its line of truth names.
        styles: the drawing styles to choose from; None for all.
        size: pixels of the longer side, 64 to 2048.
        progress: called after each picture with the number written so far.
        formats: the endings to choose from: "png", "jpg", "webp".
        sidecars: "tags", or "mixed" where one in sixty has no sidecar and one in sixty a plain English one.

    Raises:
        ConfigError: an argument is out of its range, or the folder cannot be written.
        MissingExtraError: resvg-py is not installed.
    """
    chosen = tuple(formats) or tuple(FORMATS)
    plan = Plan(count, seed, noise, tuple(styles or ()), size, chosen, sidecars)
    _check(plan)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / "truth.jsonl").open("w", encoding="utf-8") as lines:
            for index in range(count):
                line = _write_one(out, plan, index)
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                if progress is not None:
                    progress(index + 1)
    except OSError as error:
        raise ConfigError(f"the samples cannot be written to {out}: {error}") from error


def sample_seed(seed: int, index: int) -> int:
    """The seed of one picture of a data set."""
    return seed * SEEDS_APART + index


def _write_one(out: Path, plan: Plan, index: int) -> dict[str, Any]:
    seed = sample_seed(plan.seed, index)
    rng = Random(f"file {seed}")
    drawing = draw(seed, rng.choice(plan.styles) if plan.styles else None)
    noise, regime = find_noise(plan.noise, seed)
    picture, damage = noisy_picture(render(drawing, plan.size), noise, seed)
    ending = rng.choice(plan.formats)
    path = out / f"{plan.name(index)}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    _save(picture, path, ending)
    line = {"item_id": f"{plan.name(index)}.{ending}", **drawing.truth, **({"regime": regime} if regime else {})}
    text, changed = _sidecar(drawing, plan, noise, index, line)
    if text is not None:
        path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    return {**line, "noise": [*changed, *damage]}


def _save(picture: Image, path: Path, ending: str) -> None:
    options: dict[str, Any] = dict(FORMATS[ending])
    picture.save(path, **options)


def _sidecar(
    drawing: Drawing, plan: Plan, noise: Noise, index: int, line: dict[str, Any]
) -> tuple[str | None, list[str]]:
    """The text beside the picture; where it is no tag list, the line is made to say what is stated."""
    mixed = plan.sidecars == "mixed" and drawing.truth["people"] == "single"
    if mixed and index % 60 == 9:
        line.update(tags=[], stated={})
        return None, ["no sidecar"]
    if mixed and index % 60 == 23:
        text, stated = sentence(drawing.truth)
        line.update(tags=[], stated=stated)
        return text, ["plain English"]
    tags, changed = noisy_tags(drawing.tags, noise, drawing.seed)
    return ", ".join(tags), changed


def _check(plan: Plan) -> None:
    check_noise(plan.noise)
    if not 1 <= plan.count <= MAX_COUNT:
        raise ConfigError(f"count is {plan.count}. Allowed: 1 to {MAX_COUNT}")
    if not 64 <= plan.size <= 2048:
        raise ConfigError(f"size is {plan.size}. Allowed: 64 to 2048 pixels")
    for name in plan.styles:
        find_style(name)
    for name in plan.formats:
        if name not in FORMATS:
            raise ConfigError(unknown_name("picture format", name, FORMATS))
    if plan.sidecars not in SIDECARS:
        raise ConfigError(unknown_name("kind of sidecars", plan.sidecars, SIDECARS))
