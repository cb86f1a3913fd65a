"""Fits the weights of color_model.toml, and reports how well they do on styles that they were not fitted on.

    python scripts/fit_colors.py TRUTH.jsonl ... [--write FILE]

Each truth.jsonl lies in the folder of its pictures; beside the keys that `charpipe evaluate` knows, a line may have
`skin_hex`, the colour of the skin. Every style in turn is left out and judged by
what was fitted on the rest. Pictures whose hair has no colour to see are to be given none. What was read from the
pictures is kept in TRUTH.npz.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.evaluation.metrics import calibration_error
from character_pipeline.evaluation.truth import read_truth, true_values
from character_pipeline.extractors.color_analyzer import LEAST, Reading, read_colors
from character_pipeline.extractors.color_model import (
    HAIR_INPUTS,
    SKIN_INPUTS,
    Chooser,
    ColorModel,
    hair_inputs,
    skin_inputs,
)
from character_pipeline.extractors.color_names import ColorNames, load_color_names
from character_pipeline.extractors.color_regions import RegionReader, Regions, unpack
from character_pipeline.extractors.lab import Floats, hex_to_lab
from character_pipeline.sample.palette import SKIN
from character_pipeline.vocabulary import load_vocabulary

HIDDEN, WEIGHT_DECAY, STEPS = 16, 1e-3, 150
COLUMNS = ("right", "said", "of these", "none", "ECE")
CLOSE = frozenset({"portrait", "upper_body"})
FAR = frozenset({"cowboy_shot", "full_body"})
NAMES: Mapping[str, ColorNames] = load_color_names(load_vocabulary())
HAIR, TONE = NAMES["hair_color"], NAMES["skin_tone"]


@dataclass(frozen=True)
class Labelled:
    """Vectors and lines of truth; `hair` and `tone` are places among the names, -1 for none and -2 for not labelled."""

    vectors: NDArray[np.float16]
    truth: list[dict[str, Any]]

    @property
    def style(self) -> NDArray[np.str_]:
        return np.array([f"{line.get('style', '')}{_framing(line)}" for line in self.truth])

    @property
    def left_out(self) -> NDArray[np.str_]:
        return np.array([str(line.get("style", "")) for line in self.truth])

    def named(self, label: str, names: ColorNames) -> NDArray[np.int64]:
        return np.array([_place(line, label, names) for line in self.truth])


def _framing(line: Mapping[str, Any]) -> str:
    tags = set(line.get("tags", ()))
    return " close" if tags & CLOSE else " far" if tags & FAR else ""


def _place(line: Mapping[str, Any], label: str, names: ColorNames) -> int:
    values = true_values(line, label)
    if values is None or line.get("people", "single") != "single" or "Multicolored" in values:
        return -2
    return names.names.index(min(values)) if values else -1


def read_set(path: Path) -> Labelled:
    truth = list(read_truth(path))
    kept = path.with_suffix(".npz")
    if kept.exists():
        return Labelled(np.load(kept)["vectors"], truth)
    reader = RegionReader()
    vectors = np.concatenate([reader.read([Image.open(path.parent / line["item_id"])]) for line in truth])
    np.savez(kept, vectors=vectors)
    return Labelled(vectors, truth)


def _skin_targets(truth: list[dict[str, Any]], regions: Regions) -> Floats:
    """How well each region's colour is that of the skin, shape (n, REGIONS); all zero where that is not known."""
    targets = np.zeros(regions.column("share").shape)
    for row, line in enumerate(truth):
        tone = str(line["attributes"].get("Skin Tone", ""))
        colour = f"#{line['skin_hex'].lstrip('#')}" if "skin_hex" in line else SKIN.get(tone)
        if colour:
            gap = np.linalg.norm((regions.lab[row] - hex_to_lab(colour)) * [0.7, 1, 1], axis=-1)
            targets[row] = np.exp(-((gap / 6) ** 2)) * (regions.column("share")[row] > 0)
    return targets


def _weights(styles: NDArray[np.str_]) -> Floats:
    """Every style counts the same."""
    _, place, count = np.unique(styles, return_inverse=True, return_counts=True)
    return np.asarray(1 / count[place] / len(count))


def fit_chooser(inputs: Floats, present: Floats, right: Floats, weight: Floats) -> Chooser:
    """Weights that make the right answer likely, whichever region gives it.

    Args:
        inputs: shape (n, REGIONS, inputs).
        present: above 0 for the regions that there are, shape (n, REGIONS).
        right: the probability that a region, or none in the last column, gives the right answer; (n, REGIONS + 1).
        weight: how much each picture counts, shape (n,).
    """
    torch.manual_seed(0)
    mean, scale = inputs[present > 0].mean(axis=0), inputs[present > 0].std(axis=0) + 1e-6
    x, goal, count = (torch.tensor(part) for part in ((inputs - mean) / scale, right, weight))
    gone = torch.tensor(present <= 0)
    size = inputs.shape[-1]
    hidden = (torch.randn(size, HIDDEN, dtype=torch.float64) / size**0.5).requires_grad_()
    bias = torch.zeros(HIDDEN, dtype=torch.float64, requires_grad=True)
    out = (torch.randn(HIDDEN, dtype=torch.float64) * 0.1).requires_grad_()
    none = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    best = torch.optim.LBFGS([hidden, bias, out, none], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        best.zero_grad()
        scores = (torch.tanh(x @ hidden + bias) @ out).masked_fill(gone, -1e4)
        chance = torch.cat([scores, none.expand(len(scores), 1)], dim=1).softmax(dim=1)
        likely = torch.log((chance * goal).sum(dim=1) * 0.98 + 0.002)
        total = WEIGHT_DECAY * sum(((part**2).sum() for part in (hidden, bias, out)), torch.zeros(1)[0])
        total = total - (count * likely).sum()
        total.backward()
        return total

    best.step(loss)  # type: ignore[no-untyped-call]
    weights, offsets, last = (part.detach().numpy() for part in (hidden, bias, out))
    return Chooser(mean, scale, weights, offsets, last, float(none.item()))


def fit(data: Labelled, use: NDArray[np.bool_]) -> ColorModel:
    """Both networks from the pictures in `use`; trust is left at 1."""
    regions = unpack(data.vectors)
    present = regions.column("share")
    targets = _skin_targets(data.truth, regions)
    told = use & (targets.sum(axis=1) > 0.5)
    right = np.append(targets, np.zeros((len(targets), 1)), axis=1)
    inputs = skin_inputs(regions, TONE)
    skin = fit_chooser(inputs[told], present[told], right[told], _weights(data.left_out[told]))
    hair = data.named("Hair Color", HAIR)
    told = use & (hair > -2)
    named = np.append(HAIR.name(regions.lab), np.zeros((len(hair), 1, len(HAIR.names))), axis=1)
    right = np.take_along_axis(named, np.maximum(hair, 0)[:, None, None], axis=2)[..., 0]
    right[hair == -1] = np.eye(right.shape[1])[-1]
    inputs = hair_inputs(regions, skin.choose(skin_inputs(regions, TONE), present), HAIR)
    return ColorModel(skin, fit_chooser(inputs[told], present[told], right[told], _weights(data.left_out[told])), 1.0)


def held_out(data: Labelled) -> Iterator[tuple[str, NDArray[np.bool_], Reading]]:
    """For each style, what a model that was fitted on the others reads from it."""
    for style in sorted(set(data.left_out)):
        out = data.left_out == style
        yield style, out, read_colors(unpack(data.vectors[out]), fit(data, ~out), NAMES)


def report(data: Labelled, readings: Mapping[str, tuple[Any, Reading]]) -> float:
    """Print a line a style; the trust that makes probabilities of held-out styles right on average."""
    true = data.named("Hair Color", HAIR)
    print(f"\nHair Color\n{'style':22}{'items':>6}{'majority':>9}" + "".join(f"{word:>9}" for word in COLUMNS))
    sure, hits = [], []
    for out, reading in readings.values():
        for part in sorted(set(data.style[out])):
            rows = data.style[out] == part
            sure_part, hit = _line(part, true[out][rows], reading.chances[rows])
            sure.append(sure_part)
            hits.append(hit)
    told, correct = np.concatenate(sure), np.concatenate(hits)
    return float(correct.mean() / told.mean()) if len(told) else 1.0


def _line(style: str, true: NDArray[np.int64], chance: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    best, sure = chance.argmax(axis=1), chance.max(axis=1)
    known, hidden = true >= 0, true == -1
    said = known & (sure >= LEAST)
    hit = best == true
    if known.any():
        share = np.bincount(true[known]).max() / known.sum()
        false = (sure[hidden] >= LEAST).mean() if hidden.any() else np.nan
        error = calibration_error(sure[said], hit[said])
        of_these = hit[said].mean() if said.any() else np.nan
        numbers = f"{share:9.3f}{hit[known].mean():9.3f}{said.sum() / known.sum():9.3f}{of_these:9.3f}{false:9.3f}"
        print(f"{style:22}{known.sum():6}{numbers}{error:9.3f}")
    return sure[said], hit[said]


def write(path: Path, model: ColorModel, trust: float) -> None:
    """The model as TOML: for each input its mean, its scale and its weights."""
    lines = [
        "# Fitted by scripts/fit_colors.py; extractors/color_model.py says what the inputs are.",
        "# inputs: name = [mean, scale, weights to the hidden units]; out: from them to the score of a region;",
        "# none: the score of no region. trust: the factor from a probability to the share right on styles left out.",
        "",
        f"trust = {trust:.3f}",
    ]
    for name, chooser, inputs in (("skin", model.skin, SKIN_INPUTS), ("hair", model.hair, HAIR_INPUTS)):
        lines += [
            "",
            f"[{name}]",
            f"none = {chooser.none:.4f}",
            f"bias = {_row(chooser.bias)}",
            f"out = {_row(chooser.out)}",
        ]
        lines += ["", f"[{name}.inputs]"]
        for key, mean, scale, weights in zip(inputs, chooser.mean, chooser.scale, chooser.hidden, strict=True):
            lines.append(f"{key} = {_row(np.concatenate([[mean, scale], weights]))}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _row(values: Floats) -> str:
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path, nargs="+")
    parser.add_argument("--write", type=Path, help="where to put the weights fitted on all styles")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sets = [read_set(path) for path in asked.truth]
    data = Labelled(np.concatenate([s.vectors for s in sets]), [line for s in sets for line in s.truth])
    readings = {style: (out, reading) for style, out, reading in held_out(data)}
    trust = report(data, readings)
    print(f"\ntrust: {trust:.3f}")
    if asked.write:
        write(asked.write, fit(data, np.ones(len(data.truth), dtype=np.bool_)), trust)


if __name__ == "__main__":
    main()
