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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bare_model import Speed, measure_bare, measured
from PIL import Image
from stand_ins import OUT, Filler, NumpyReader, Scorer

from character_pipeline import CharacterPipeline, create_pipeline
from character_pipeline.extractors.base import PictureReader, PipelineStage
from character_pipeline.extractors.color_regions import RegionReader
from character_pipeline.extractors.picture_quality import QualityReader
from character_pipeline.extractors.small_picture import SmallPicture
from character_pipeline.input_loader import ImageOptions, load_image
from character_pipeline.runs.hardware import describe_machine
from character_pipeline.runs.run import RunSummary

MILLIONS = 5_000_000
SAMPLE = Path(__file__).parents[1] / "src" / "character_pipeline" / "sample" / "bundled"


@dataclass(frozen=True)
class Setting:
    """What is measured with what."""

    model: str
    workers: int
    place: Path
    colors: bool = True

    def open(self, name: str, least: float = 0.0, reader: PictureReader | None = None) -> CharacterPipeline:
        """A pipeline whose decisions depend on `least`."""
        config: dict[str, Any] = {
            "database": {"db_path": str(self.place / name)},
            "run": {"workers": self.workers},
            "picture_analyzers": {"colors": self.colors},
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


def measure_flow(pipeline: CharacterPipeline, rounds: Sequence[Path]) -> tuple[RunSummary, list[Speed], list[Speed]]:
    """A run over each folder, and beside it the bare reader just before and after: the last summary, and the speeds."""
    reader = next(iter(pipeline.stages.readers.values()))
    count = len(list(rounds[0].iterdir()))
    flows, bares = [], [measure_bare(reader, rounds[0], count)]
    for folder in rounds:
        with measured(count) as found:
            summary = pipeline.run(folder)
        flows += found
        bares.append(measure_bare(reader, folder, count))
    return summary, flows, bares


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


def measure_again(setting: Setting, count: int) -> tuple[RunSummary, float]:
    """A run after a changed setting over pictures that are all in the cache; the speed of another one, unchanged."""
    name = f"again-{count}.db"
    tar = tiny_pictures(setting.place / f"{count}.tar", count)
    if setting.model == "numpy":
        first = setting.open(name, reader=Filler("filler", OUT))
        second = setting.open(name, least=0.1, reader=Filler("filler", OUT))
    else:
        with setting.open(name) as real:
            every = real.stages.readers.values()
            readers = [Filler(one.key, one.size, getattr(one, "least_side", 0)) for one in every]
            first = create_pipeline(real.config, extractors=[Scorer(reader) for reader in readers])
        second = setting.open(name, least=0.1)
    with first as pipeline:
        pipeline.run(tar)
    with second as pipeline:
        summary = pipeline.run(tar)
        with measured(count) as same:
            pipeline.run(tar)
    assert summary.counts["pictures_cached"] == count, "a picture was opened again"
    return summary, same[0].rate


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
    with watched_memory() as peak, setting.open("flow.db") as pipeline:
        last, flows, bares = measure_flow(pipeline, folders)
    speed = median(flow.rate for flow in flows)
    beside = list(zip(flows, bares[:-1], bares[1:], strict=True))
    ratios = sorted(flow.rate * (1 / one.rate + 1 / two.rate) / 2 for flow, one, two in beside)
    works = sorted((one.work + two.work) / 2 / flow.work for flow, one, two in beside)
    print(f"| JPEGs of {side} pixels, {last.workers} workers, median of {rounds} runs | {speed:.1f} pictures/s |")
    print(f"| ratio to the bare reader, in between, on ready tensors | {_spread(ratios)} |")
    print(f"| the same in processor time, which neighbours disturb less | {_spread(works)} |")
    print(f"| peak memory of all processes, the bare reader's tensors included | {peak[0]:,.0f} MiB |")
    print(f"| seconds by part, last run | {_parts(last)} |")
    print(f"| who spoke | {', '.join(last.speakers.values())} |", flush=True)
    return speed


def print_steps(setting: Setting, count: int, side: int) -> None:
    """What happens to a picture before a model sees it: in processor time, one thread, the best of some rounds."""
    with setting.open("steps.db") as pipeline:
        options, readers = pipeline.stages.image_options, dict(pipeline.stages.readers)
    readers |= {reader.key: reader for reader in (RegionReader(), QualityReader())}
    jpegs = [path.read_bytes() for path in sorted(draw_pictures(setting.place / "steps", count, side).iterdir())]
    print("\n| processor ms a picture | decode | make small | " + " | ".join(readers) + " | together |")
    print("|" + "---|" * (len(readers) + 4))
    for name, raws, how in (
        ("JPEG", jpegs, options),
        ("JPEG, decoded in full", jpegs, ImageOptions()),
        ("PNG", [_as_png(raw) for raw in jpegs], options),
    ):
        pictures = [load_image(raw, how).image for raw in raws]
        smalls = [SmallPicture(picture) for picture in pictures]
        steps = [_work(partial(load_image, options=how), raws), _work(lambda one: SmallPicture(one).chroma, pictures)]
        for reader in readers.values():
            if hasattr(reader, "prepare_small"):
                steps.append(_work(reader.prepare_small, smalls))
            elif hasattr(reader, "prepare"):
                steps.append(_work(reader.prepare, pictures))
        print(f"| {name} | " + " | ".join(f"{step:.2f}" for step in [*steps, sum(steps)]) + " |", flush=True)


def _as_png(raw: bytes) -> bytes:
    buffer = io.BytesIO()
    load_image(raw).image.save(buffer, "PNG")
    return buffer.getvalue()


def _work(step: Callable[[Any], object], given: Sequence[Any], rounds: int = 5) -> float:
    taken = []
    for _ in range(rounds):
        start = time.thread_time()
        for one in given:
            step(one)
        taken.append(time.thread_time() - start)
    return min(taken) / len(given) * 1000


def _spread(numbers: Sequence[float]) -> str:
    return f"{median(numbers):.2f} ({numbers[0]:.2f} to {numbers[-1]:.2f})"


def _parts(summary: RunSummary) -> str:
    return ", ".join(f"{name} {spent:.2f}" for name, spent in summary.seconds.items())


def print_again(setting: Setting, count: int, first: float) -> None:
    with watched_memory() as peak:
        summary, same = measure_again(setting, count)
    speed = summary.items_per_second
    scoring = sum(spent for name, spent in summary.seconds.items() if name in {"scorer", "clip_analyzer"})
    print(f"| {count:,} cached pictures after a changed setting, {summary.workers} workers | {speed:,.0f} pictures/s |")
    print(f"| the same where nothing changed | {same:,.0f} pictures/s |")
    if first:
        print(f"| times as fast as the first run | {speed / first:,.0f}, {same / first:,.0f} |")
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
    parser.add_argument("--steps", type=int, default=60, help="pictures for the time of each step; 0: leave it out")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--no-colors", action="store_true", help="without the color analyzer")
    given = parser.parse_args()
    print(f"| what | {given.model} |\n|---|---|")
    with tempfile.TemporaryDirectory() as place:
        setting = Setting(given.model, given.workers, Path(place), not given.no_colors)
        first = print_flow(setting, given.pictures, given.side, given.rounds) if given.pictures else 0.0
        for count in filter(None, [given.cached, given.rescore]):
            print_again(setting, count, first)
        if given.steps:
            print_steps(setting, given.steps, given.side)
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
