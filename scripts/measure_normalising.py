"""What each way of making pictures alike changes in the naming of hair colours, on styles that were not fitted on.

    python scripts/measure_normalising.py TRUTH.jsonl ... --styles avataaars,pixelArt --count 300

The files are those of scripts/fit_colors.py; each style in turn is left out of the fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from fit_colors import HAIR, NAMES, Labelled, fit, read_set
from PIL import Image

from character_pipeline.extractors.color_analyzer import LEAST, read_colors
from character_pipeline.extractors.color_regions import RegionReader, unpack
from character_pipeline.input_loader.normalise import balance, crop_to_subject, flatten_background

WAYS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda picture: picture,
    "flat ground": flatten_background,
    "cropped": crop_to_subject,
    "stretched": balance,
    "grey world": lambda picture: balance(picture, grey_world=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path, nargs="+")
    parser.add_argument("--styles", required=True)
    parser.add_argument("--count", type=int, default=300)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sets = [read_set(path) for path in asked.truth]
    data = Labelled(np.concatenate([s.vectors for s in sets]), [line for s in sets for line in s.truth])
    folders = [path.parent for path, part in zip(asked.truth, sets, strict=True) for _ in part.truth]
    true = data.named("Hair Color", HAIR)
    for style in asked.styles.split(","):
        rows = np.flatnonzero((data.left_out == style) & (true >= 0))[: asked.count]
        model = fit(data, data.left_out != style)
        paths = [folders[row] / data.truth[row]["item_id"] for row in rows]
        for way, change in WAYS.items():
            vectors = np.concatenate([RegionReader().read([change(Image.open(path).convert("RGB"))]) for path in paths])
            chance = read_colors(unpack(vectors), model, NAMES).chances
            hit, said = chance.argmax(axis=1) == true[rows], chance.max(axis=1) >= LEAST
            print(
                f"{style:12} {way:12} right {hit.mean():.3f}  said {said.mean():.3f}  of these {hit[said].mean():.3f}"
            )


if __name__ == "__main__":
    main()
