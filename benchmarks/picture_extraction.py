"""How fast pictures flow: end to end against the bare reader, again from the cache, and what memory that takes.

`--model numpy` is a stand-in of the shape of ViT-B/32 with made-up weights, which needs nothing but numpy; any other
name is given to `clip_analyzer.model_name`. Speeds are compared within one run. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import io
import os
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from character_pipeline import CharacterPipeline, Evidence, Item, create_pipeline
from character_pipeline.extractors.base import Need, PictureReader, PipelineStage
from character_pipeline.input_loader import load_image
from character_pipeline.runs.hardware import describe_machine
from character_pipeline.runs.run import RunSummary
from character_pipeline.vocabulary import load_vocabulary

WIDTH, LAYERS, TOKENS, SIDE, OUT = 768, 12, 50, 224, 512
PROMPTS = 200
MILLIONS = 5_000_000
SAMPLE = Path(__file__).parents[1] / "src" / "character_pipeline" / "sample" / "bundled"


class NumpyReader:
    """The matrices of ViT-B/32, without attention, on numpy."""

    size = OUT
    threads = 0

    def __init__(self, layers: int = LAYERS) -> None:
        self.key = f"numpy-{LAYERS}"  # the quick one with fewer layers fills the cache of the other
        self.layers = layers
        self._weights: list[NDArray[np.float32]] = []

    def prepare(self, picture: Image.Image) -> Image.Image:
        return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)

    def _load(self) -> list[NDArray[np.float32]]:
        if not self._weights:
            chooser = np.random.default_rng(0)
            shapes = [(3072, WIDTH), *[(WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 3072), (3072, WIDTH)] * self.layers]
            self._weights = [chooser.standard_normal(s, np.float32) / np.float32(s[0] ** 0.5) for s in shapes]
        return self._weights

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(self.threads or None):
            pixels = np.stack([np.asarray(picture, np.float32) for picture in pictures])
            return self._embed(pixels / np.float32(255))

    def _embed(self, pixels: NDArray[np.float32]) -> NDArray[np.float16]:
        first, *rest = self._load()
        patches = pixels.reshape(-1, 7, 32, 7, 32, 3).swapaxes(2, 3).reshape(-1, 3072)
        tokens = patches @ first
        for layer in range(self.layers):
            mix, project, widen, narrow = rest[layer * 4 : layer * 4 + 4]
            tokens = np.tanh(tokens + (tokens @ mix)[:, :WIDTH] @ project)
            tokens += np.maximum(tokens @ widen, 0) @ narrow
        found: NDArray[np.float16] = tokens.reshape(len(pixels), -1, WIDTH).mean(axis=1)[:, :OUT].astype(np.float16)
        return found

    def describe(self) -> str:
        return f"numpy stand-in on cpu, {self.threads} threads"


class Scorer:
    """Scores made-up prompts and claims the best of each group, as an analyzer does."""

    name = "scorer"
    needs: frozenset[Need] = frozenset({"readings"})

    def __init__(self, reader: PictureReader, least: float = 0.0) -> None:
        self.version = f"1-{least}"
        self.readers: Sequence[PictureReader] = [reader]
        self._prompts = np.zeros(0, np.float32)

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        if not self._prompts.size:
            self._prompts = np.random.default_rng(1).standard_normal((self.readers[0].size, PROMPTS), np.float32)
        vectors = np.stack([item.readings[self.readers[0].key] for item in batch]).astype(np.float32)
        scores = vectors @ self._prompts
        return [self._claim(row) for row in scores]

    def _claim(self, scores: NDArray[np.float32]) -> tuple[Evidence, ...]:
        claims, start = [], 0
        for key, attribute in load_vocabulary().attributes.items():
            part = scores[start : start + len(attribute.values)]
            start += len(attribute.values)
            if part.size and not attribute.many:
                value = attribute.values[int(part.argmax())]
                claims.append(Evidence(key, value, 0.7, f"{self.name}/{self.version}", "picture"))
        return tuple(claims)


@dataclass(frozen=True)
class Setting:
    """What is measured with what."""

    model: str
    workers: int
    place: Path

    def open(self, name: str, least: float = 0.0, reader: PictureReader | None = None) -> CharacterPipeline:
        """A pipeline whose decisions depend on `least`."""
        config: dict[str, Any] = {
            "database": {"db_path": str(self.place / name)},
            "run": {"workers": self.workers},
        }
        if self.model == "numpy" or reader is not None:
            stages: list[PipelineStage] = [Scorer(reader or NumpyReader(), least)]
            return create_pipeline(config, extractors=stages)
        clip = {"model_name": self.model}
        return create_pipeline(config | {"clip_analyzer": clip, "attribute_fusion": {"confidence_threshold": least}})


def draw_pictures(folder: Path, count: int, side: int) -> Path:
    """JPEGs with the long side given, each another one."""
    folder.mkdir(parents=True)
    originals = [load_image(path).image for path in sorted(SAMPLE.glob("*.webp"))]
    for number in range(count):
        stamp = hash((folder.name, number)) % 2**24
        picture = originals[number % len(originals)]
        scale = side / max(picture.size)
        copy = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        copy.paste((stamp % 256, stamp // 256 % 256, stamp // 65536), (0, 0, 8, 8))
        copy.save(folder / f"{number:06}.jpg", quality=90)
    return folder


def measure_bare(reader: PictureReader, folder: Path, batch: int, count: int) -> float:
    """Pictures a second of the reader alone, on pictures that are decoded and prepared."""
    prepare = getattr(reader, "prepare", lambda picture: picture)
    pictures = [prepare(load_image(path).image) for path in islice(sorted(folder.iterdir()), count)]
    reader.read(pictures[:batch])
    start = time.perf_counter()
    for place in range(0, len(pictures), batch):
        reader.read(pictures[place : place + batch])
    return len(pictures) / (time.perf_counter() - start)


def measure_flow(setting: Setting, rounds: Sequence[Path], count: int) -> tuple[list[RunSummary], list[float]]:
    """A run over each folder; and the ratio of its speed to that of the bare reader just before and after it."""
    summaries, ratios = [], []
    with setting.open("flow.db") as pipeline:
        reader = next(iter(pipeline.stages.readers.values()))
        at_once = getattr(reader, "at_once", 32)
        before = measure_bare(reader, rounds[0], at_once, count)
        for folder in rounds:
            summaries.append(pipeline.run(folder))
            after = measure_bare(reader, folder, at_once, count)
            ratios.append(summaries[-1].items_per_second * (1 / before + 1 / after) / 2)
            before = after
    return summaries, ratios


def tiny_pictures(path: Path, count: int) -> Path:
    """A tar archive of pictures of 8 x 8 pixels, each another one."""
    with tarfile.open(path, "w") as archive:
        for number in range(count):
            buffer = io.BytesIO()
            Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, number // 65536)).save(buffer, "PNG")
            member = tarfile.TarInfo(f"{number:07}.png")
            member.size = buffer.tell()
            buffer.seek(0)
            archive.addfile(member, buffer)
    return path


class Filler:
    """Stands for a reader while the cache is filled: the same key, made-up vectors."""

    def __init__(self, key: str, size: int) -> None:
        self.key, self.size = key, size

    def read(self, pictures: Sequence[Image.Image]) -> NDArray[np.float16]:
        seeds = [hash(picture.getpixel((0, 0))) & 0xFFFF for picture in pictures]
        return np.stack([np.random.default_rng(s).standard_normal(self.size).astype(np.float16) for s in seeds])


def measure_again(setting: Setting, count: int) -> RunSummary:
    """A run after a changed setting over pictures that are all in the cache."""
    name = f"again-{count}.db"
    tar = tiny_pictures(setting.place / f"{count}.tar", count)
    if setting.model == "numpy":
        first = setting.open(name, reader=Filler("filler", OUT))
        second = setting.open(name, least=0.1, reader=Filler("filler", OUT))
    else:
        with setting.open(name) as real:
            readers = [Filler(reader.key, reader.size) for reader in real.stages.readers.values()]
            first = create_pipeline(real.config, extractors=[Scorer(reader) for reader in readers])
        second = setting.open(name, least=0.1)
    with first as pipeline:
        pipeline.run(tar)
    with second as pipeline:
        summary = pipeline.run(tar)
    assert summary.counts["pictures_cached"] == count, "a picture was opened again"
    return summary


def tree_memory() -> float:
    """What this process and all below it hold now, in MiB; pages that they share are counted once."""
    waiting, total = [os.getpid()], 0
    while waiting:
        process = Path(f"/proc/{waiting.pop()}")
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            waiting += [
                int(child) for task in (process / "task").iterdir() for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue  # it has ended
    return total / 1024


@contextmanager
def watched_memory() -> Iterator[list[float]]:
    """The peak of the process tree meanwhile, looked at twice a second."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            peak[0] = max(peak[0], tree_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def print_flow(setting: Setting, pictures: int, side: int, rounds: int) -> float:
    folders = [draw_pictures(setting.place / f"set-{n}", pictures // rounds, side) for n in range(rounds)]
    with watched_memory() as peak:
        summaries, ratios = measure_flow(setting, folders, min(pictures // rounds, 128))
    last, speed = summaries[-1], median(summary.items_per_second for summary in summaries)
    print(f"| JPEGs of {side} pixels, {last.workers} workers, median of {rounds} runs | {speed:.1f} pictures/s |")
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"| ratio to the bare reader on decoded pictures, in between | {median(ratios):.2f} ({spread}) |")
    print(f"| peak memory of all processes, the bare reader's pictures included | {peak[0]:,.0f} MiB |")
    print(f"| seconds by part, last run | {_parts(last)} |")
    print(f"| who spoke | {', '.join(last.speakers.values())} |", flush=True)
    return speed


def _parts(summary: RunSummary) -> str:
    return ", ".join(f"{name} {spent:.2f}" for name, spent in summary.seconds.items())


def print_again(setting: Setting, count: int, first: float) -> None:
    with watched_memory() as peak:
        summary = measure_again(setting, count)
    speed = summary.items_per_second
    scoring = sum(spent for name, spent in summary.seconds.items() if name in {"scorer", "clip_analyzer"})
    print(f"| {count:,} cached pictures after a changed setting, {summary.workers} workers | {speed:,.0f} pictures/s |")
    if first:
        print(f"| times as fast as the first run | {speed / first:,.0f} |")
    print(f"| 5 million at this speed | {MILLIONS / speed / 60:.1f} min |")
    print(f"| of them scoring | {scoring / count * MILLIONS / 60:.1f} min on one core |")
    print(f"| peak memory of all processes | {peak[0]:,.0f} MiB |")
    print(f"| seconds by part | {_parts(summary)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="numpy", help="numpy, or a model of clip_analyzer")
    parser.add_argument("--pictures", type=int, default=400, help="for the first run; 0: leave it out")
    parser.add_argument("--rounds", type=int, default=3, help="runs over which they are spread")
    parser.add_argument("--side", type=int, default=768, help="the long side of the pictures")
    parser.add_argument("--cached", type=int, default=10_000, help="for the second run; 0: leave it out")
    parser.add_argument("--rescore", type=int, default=0, help="another second run, to tell that of 5 million")
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    print(f"| what | {given.model} |\n|---|---|")
    with tempfile.TemporaryDirectory() as place:
        setting = Setting(given.model, given.workers, Path(place))
        first = print_flow(setting, given.pictures, given.side, given.rounds) if given.pictures else 0.0
        for count in filter(None, [given.cached, given.rescore]):
            print_again(setting, count, first)
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
