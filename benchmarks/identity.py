"""Copies of drawn pictures against different pictures, some of the same character: what is found at which threshold;
and what it takes to compare many hashes."""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline.extractors.picture_hash import SIZE, HashReader
from character_pipeline.identity.likeness import Hashes, find_pairs, likeness

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
THRESHOLDS = (0.95, 0.97, 0.98, 0.99)
Picture = Image.Image
Change = Callable[[Picture], Picture]


def encoded(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def resized(picture: Picture, share: float) -> Picture:
    return picture.resize((round(picture.width * share), round(picture.height * share)), Image.Resampling.LANCZOS)


def cropped(picture: Picture, share: float) -> Picture:
    """Without a share of its sides, taken from left and below more than from the others."""
    width, height = (round(length * (1 - share)) for length in picture.size)
    left, top = round((picture.width - width) * 0.7), round((picture.height - height) * 0.3)
    return picture.crop((left, top, left + width, top + height))


def turned(picture: Picture) -> Picture:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


CHANGES: Mapping[str, Change] = {
    "JPEG 50": lambda picture: encoded(picture, 50),
    "JPEG 20": lambda picture: encoded(picture, 20),
    "half as large": lambda picture: resized(picture, 0.5),
    "a third as large, JPEG 60": lambda picture: encoded(resized(picture, 1 / 3), 60),
    "mirrored, JPEG 50": lambda picture: encoded(turned(picture), 50),
    "cut by 2 %": lambda picture: cropped(picture, 0.02),
    "cut by 5 %": lambda picture: cropped(picture, 0.05),
    "cut by 10 %": lambda picture: cropped(picture, 0.1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="pictures that are drawn")
    parser.add_argument("--seed", type=int, default=31_000)
    parser.add_argument("--hashes", type=int, default=200_000, help="hashes that are compared; 0: none")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        judge(Path(name), asked.count, asked.seed)
    if asked.hashes:
        measure(asked.hashes)


def judge(folder: Path, count: int, seed: int) -> None:
    """Precision and recall, on pictures that show somebody."""
    options = ["--count", str(count), "--seed", str(seed), "--size", "384", "--format", "png"]
    subprocess.run([*CHARPIPE, "sample", str(folder), *options], check=True, capture_output=True)
    lines = [json.loads(line) for line in (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if line.get("character")]
    pictures = [Image.open(folder / line["item_id"]).convert("RGB") for line in lines]
    names = np.array([line["character"] for line in lines])
    own = HashReader().read(pictures)
    print(f"{len(own):,} pictures of characters\n\n| | {' | '.join(map(str, THRESHOLDS))} |")
    print("|---|" + "---|" * len(THRESHOLDS))
    for title, change in CHANGES.items():
        found = likeness(own, HashReader().read([change(picture) for picture in pictures]))
        print_row(f"{title}: found", [f"{(found >= least).mean():.1%}" for least in THRESHOLDS])
    first, second = np.triu_indices(len(own), 1)
    alike = np.concatenate(
        [likeness(own[[row]].repeat(len(own) - row - 1, 0), own[row + 1 :]) for row in range(len(own))]
    )
    same = names[first] == names[second]
    for title, of_these in ((f"other pictures of the same character ({same.sum():,})", same), ("all others", ~same)):
        print_row(f"{title}: taken for copies", [f"{(alike[of_these] >= least).sum():,}" for least in THRESHOLDS])


def print_row(title: str, cells: list[str]) -> None:
    print(f"| {title} | {' | '.join(cells)} |")


def measure(count: int) -> None:
    """Many made-up hashes, every tenth a copy of the one before, with as much in each wave as drawn pictures have."""
    hashes = make_hashes(count)
    start, wall = time.process_time(), time.perf_counter()
    pairs = find_pairs(hashes, 0.98)
    seconds, wall = time.process_time() - start, time.perf_counter() - wall
    copies = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    found = sum((place, place + 1) in copies for place in range(0, count - 1, 10))
    print(f"\n{count:,} hashes of {SIZE} numbers: {seconds:.0f} s of processor time, {wall:.0f} s by the clock;")
    print(f"{found / len(range(0, count - 1, 10)):.2%} of the copies found")
    growth = np.log(1_000_000) / np.log(count)  # an index searches in the logarithm of its size
    print(f"a million would take about {seconds * 1_000_000 / count * growth / 60:.0f} min of processor time")


def make_hashes(count: int) -> Hashes:
    chance = np.random.default_rng(0)
    shape: NDArray[np.float64] = 20 / (1 + np.arange(SIZE)) ** 0.6
    found = (chance.standard_normal((count, SIZE), dtype=np.float32) * shape).astype(np.float16)
    for place in range(0, count - 1, 10):
        found[place + 1] = found[place] * (1 + 0.05 * chance.standard_normal(SIZE))
    return found


if __name__ == "__main__":
    main()
