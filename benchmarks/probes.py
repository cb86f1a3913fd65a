"""What a user's own tags are worth: the embedded model with prompts alone, and with probes trained from noisy tags of
half of the characters, on the other half, in two styles that the model never saw."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.cli.probes_table import print_verdicts
from character_pipeline.config import load_config
from character_pipeline.data import Item
from character_pipeline.database.store import Store
from character_pipeline.evaluation.gold import Gold, read_gold
from character_pipeline.evaluation.metrics import Ints
from character_pipeline.evaluation.scores import Score, score
from character_pipeline.evaluation.sources import read_answers
from character_pipeline.extractors.probes import Head
from character_pipeline.training.drawn import TEST_STYLES
from character_pipeline.training.probes.making import Course, compare, fit, make_course, train_probes
from character_pipeline.training.probes.tagged import Tagged, read_tagged, with_vectors
from character_pipeline.vocabulary import load_vocabulary

CHARPIPE = [sys.executable, "-m", "character_pipeline"]
DATABASE = "character_attributes.db"
ROW = "{:18} {:>7} {:>9} {:>16} {:>9} {:>16} {:>7} {:>7}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=9_000)
    parser.add_argument("--size", type=int, default=320, help="pixels of the longer side")
    parser.add_argument("--data", type=Path, help="pictures that were drawn before, instead of drawing them")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data = asked.data or draw(place / "data", asked.count, asked.seed, asked.size)
        for half, lines in halves(data).items():
            part(data, place / half, lines)
            extract(place / half, place / f"{half}-out", place)
        probes = place / "probes.safetensors"
        learn(place, probes)
        shutil.copytree(place / "judge-out", place / "probes-out")
        extract(place / "judge", place / "probes-out", place, probes)
        whole_pipeline(place)


def draw(data: Path, count: int, seed: int, size: int) -> Path:
    """Pictures with tags of which some are missing or wrong."""
    styles = [word for style in TEST_STYLES for word in ("--style", style)]
    options = ["--count", str(count), "--seed", str(seed), "--size", str(size), "--noise", "light", *styles]
    subprocess.run([*CHARPIPE, "sample", str(data), *options], check=True, capture_output=True)
    return data


def halves(data: Path) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """The lines of truth, by what they are used for: half of the characters each."""
    lines = [json.loads(line) for line in (data / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    names = sorted({str(line["character"] if "character" in line else line["item_id"]) for line in lines})
    judged = set(np.random.default_rng(0).permutation(names)[: len(names) // 2].tolist())
    found: dict[str, list[Mapping[str, Any]]] = {"learn": [], "judge": []}
    for line in lines:
        found["judge" if str(line.get("character", line["item_id"])) in judged else "learn"].append(line)
    return found


def part(data: Path, folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Some of the pictures as a data set of their own."""
    folder.mkdir()
    for line in lines:
        for path in data.glob(f"{Path(line['item_id']).stem}.*"):
            shutil.copy(path, folder)
    (folder / "truth.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def extract(folder: Path, out: Path, place: Path, probes: Path | None = None) -> None:
    settings: dict[str, Any] = {"model_name": "embedded"} | ({"probes": str(probes)} if probes else {})
    config = place / "config.json"
    config.write_text(json.dumps({"clip_analyzer": settings}), encoding="utf-8")
    options = ["--output", str(out), "--format", "none", "--quiet", "--config", str(config)]
    subprocess.run([*CHARPIPE, "extract", str(folder), *options], check=True, capture_output=True)


def learn(place: Path, probes: Path) -> None:
    """What the gate says of each head by tags alone, and what the truth of the second half says of all of them."""
    truth, config = place / "learn" / "truth.jsonl", load_config({"clip_analyzer": {"model_name": "embedded"}})
    store = Store(place / "learn-out" / DATABASE, writable=False)
    try:
        print("held-out tags of the first half, prompts > probes\n", flush=True)
        print_verdicts(train_probes(store, config, probes, truth))
        course = make_course(config)
        heads = fit(course, with_vectors(read_tagged(store, truth), store, course.stages))
    finally:
        store.close()
    against_truth(place, course, heads)


def against_truth(place: Path, course: Course, heads: Sequence[Head]) -> None:
    """All heads against the prompts, on the truth of the second half; what is kept here is what should be."""
    store = Store(place / "judge-out" / DATABASE, writable=False)
    try:
        gold = read_gold(store, place / "judge" / "truth.jsonl")
        tagged = with_vectors(as_tagged(gold, store, course), store, course.stages)
    finally:
        store.close()
    print(
        f"\ntruth of the second half, {len(tagged):,} pictures, prompts > probes, those that the gate refused too\n",
        flush=True,
    )
    print_verdicts(compare(course, heads, tagged))


def as_tagged(gold: Gold, store: Store, course: Course) -> Tagged:
    hashes = dict(
        store.db.execute("SELECT i.item_id, hex(r.content_hash) FROM items i JOIN records r ON r.item = i.id")
    )
    items = [Item(line["item_id"], content_hash=hashes[line["item_id"]].lower()) for line in gold.truths]
    labels: dict[str, Ints] = {}
    for attribute in course.attributes:
        labels[attribute.key] = gold.each(attribute) if attribute.many else gold.one(attribute)
    return Tagged(items, labels, gold.groups)


def whole_pipeline(place: Path) -> None:
    """What pictures alone say in the end, colours and rules included."""
    truth = place / "judge" / "truth.jsonl"
    without, using = (seen(place / name, truth) for name in ("judge-out", "probes-out"))
    print("\npictures alone, in the pipeline; silence is not right\n")
    print(ROW.format("", "items", "prompts", "95 % interval", "probes", "95 % interval", "ECE", "ECE"))
    for label, old in without.items():
        new = using[label]
        spans = [f"{low:.1%} - {high:.1%}" for low, high in (old.interval, new.interval)]
        errors = [f"{one.calibration:.3f}" for one in (old, new)]
        print(ROW.format(label, old.items, f"{old.accuracy:.1%}", spans[0], f"{new.accuracy:.1%}", spans[1], *errors))
    means = [float(np.nanmean([one.accuracy for one in found.values()])) for found in (without, using)]
    print(ROW.format("mean", "", f"{means[0]:.1%}", "", f"{means[1]:.1%}", "", "", ""))


def seen(out: Path, truth: Path) -> dict[str, Score]:
    store = Store(out / DATABASE, writable=False)
    try:
        found = score(read_answers(store, truth), load_vocabulary())
    finally:
        store.close()
    return {one.label: one for one in found.single if one.source == "picture" and one.items}


if __name__ == "__main__":
    main()
