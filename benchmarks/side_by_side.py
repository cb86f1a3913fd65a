"""This pipeline beside the usual loop (PIL, CLIP's processor and model in torch, batches of 32), over the same pictures
with sidecars and the same weights, in turns.

The model has the shape of ViT-B/32 and random weights: the speed is that of the real one. The loop only compares each
picture with the phrases; the pipeline also reads the texts, tells colors and quality, decides, and writes a database.
Loading models is not counted. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from clip_speed import make_vit
from PIL import Image
from scaling import make_pictures

from character_pipeline import create_pipeline
from character_pipeline.models.machine import count_cores
from character_pipeline.runs.hardware import describe_machine

BATCH = 32
DRAWN = 500
PHRASES = 300
"""About as many as the vocabulary has prompts."""


def draw(folder: Path, count: int, seed: int = 0) -> Path:
    command = [sys.executable, "-m", "character_pipeline", "sample", str(folder), "--count", str(count)]
    options = ["--size", "768", "--format", "jpg", "--seed", str(seed)]
    if not (folder / "truth.jsonl").exists():
        subprocess.run([*command, *options], check=True, capture_output=True)
    return folder


def pictures(work: Path, count: int) -> Path:
    """So many pictures, of which no two are the same; of many, most are made of others (see scaling.py)."""
    drawn = draw(work / f"pictures-{min(count, DRAWN)}", min(count, DRAWN))
    if count > DRAWN:
        make_pictures([drawn], count, work / f"made-{count}")
    return drawn if count <= DRAWN else work / f"made-{count}"


def usual_loop(model: Path, folder: Path) -> Callable[[], float]:
    """A loop as one writes it; gives the seconds that it took."""
    import torch
    from transformers import CLIPImageProcessorPil, CLIPModel

    torch.set_num_threads(count_cores())
    clip: Any = CLIPModel.from_pretrained(model)
    clip.eval()
    processor = CLIPImageProcessorPil.from_pretrained(model)
    phrases = torch.nn.functional.normalize(torch.randn(PHRASES, clip.config.projection_dim), dim=-1)
    paths = sorted(folder.rglob("*.jpg"))

    def run() -> float:
        start = time.perf_counter()
        for first in range(0, len(paths), BATCH):
            chunk = paths[first : first + BATCH]
            texts = [path.with_suffix(".txt").read_text(encoding="utf-8") for path in chunk]
            pictures = [Image.open(path).convert("RGB") for path in chunk]
            with torch.inference_mode():
                pixels = processor(images=pictures, return_tensors="pt")
                found: Any = clip.get_image_features(**pixels)
                vectors = getattr(found, "pooler_output", found)
                best = (torch.nn.functional.normalize(vectors, dim=-1) @ phrases.T).argmax(dim=-1)
            assert len(best) == len(texts)
        return time.perf_counter() - start

    return run


def pipeline_run(model: Path, folder: Path, warm: Path, **settings: Any) -> Callable[[], float]:
    """A run of the pipeline into a new database; gives the seconds that it took."""
    clip = {"model_name": str(model), "device": "cpu", **settings}

    def run() -> float:
        place = Path(tempfile.mkdtemp())
        config = {"clip_analyzer": clip, "run": {"workers": 1}, "database": {"db_path": str(place / "a.db")}}
        try:
            with closing(create_pipeline(config)) as pipeline:
                pipeline.run(warm)
                start = time.perf_counter()
                pipeline.run(folder)
                return time.perf_counter() - start
        finally:
            shutil.rmtree(place)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("side-by-side"), help="keeps pictures and model")
    asked = parser.parse_args()
    model = asked.work / "vit-b-32"
    if not model.exists():
        make_vit(model)
    folder, warm = pictures(asked.work, asked.count), draw(asked.work / "warm", 40, seed=77)
    jobs = {
        "the usual loop, torch fp32": usual_loop(model, folder),
        "this pipeline, ONNX int8": pipeline_run(model, folder, warm, backend="onnx", precision="int8"),
        "this pipeline, torch fp32": pipeline_run(model, folder, warm, backend="torch", precision="fp32"),
        "this pipeline, ONNX fp32": pipeline_run(model, folder, warm, backend="onnx", precision="fp32"),
    }
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(asked.rounds):
        for name, job in jobs.items():
            taken[name].append(job())
            print(f"{name}: {asked.count / taken[name][-1]:.1f} pictures/s", file=sys.stderr, flush=True)
    base = taken["the usual loop, torch fp32"]
    print("| what | pictures/s | times the loop |\n|---|---|---|")
    for name, seconds in taken.items():
        ratios = sorted(loop / own for loop, own in zip(base, seconds, strict=True))
        spread = f"{median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
        print(f"| {name} | {asked.count / median(seconds):.1f} | {spread} |")
    print(f"\n{asked.count:,} pictures, {asked.rounds} rounds in turns; {describe_machine()}")


if __name__ == "__main__":
    main()
