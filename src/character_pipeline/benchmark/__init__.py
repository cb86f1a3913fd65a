"""Measures the pipeline on texts that are made up here: the whole, and beside it the same run without any extractor."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.config import PipelineConfig
from character_pipeline.runs.hardware import describe_machine
from character_pipeline.vocabulary.lexicon import load_lexicon

if TYPE_CHECKING:
    from character_pipeline.pipeline import CharacterPipeline

MakePipeline = Callable[..., "CharacterPipeline"]
"""As `create_pipeline`, which hands itself in: the pipeline offers this benchmark as a method."""

POSTS = 9_600_000
"""As many posts the tag counts of tags.csv are drawn from."""
NAMES = 100_000
WEIGHTS = 1_000
AT_ONCE = 500
PICK_ONE = ("hair_color", "eye_color", "hair_length")
"""Attributes of which a picture has one value, and of which its tags mostly name one."""


def make_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Tag lists of one character as they are found in the wild: each of 3,000 general tags is there as often as on
    Danbooru, in any order, with one to three names of characters, artists and works."""
    import numpy as np

    chooser = np.random.default_rng(seed)
    tags, shares, families = _frequencies()
    for start in range(0, count, AT_ONCE):
        for present in chooser.random((min(AT_ONCE, count - start), len(tags))) < shares:
            found = [tags[place] for place in np.flatnonzero(present)]
            found += [family[int(chooser.integers(len(family)))] for family in families]
            found += [f"name_{int(NAMES ** chooser.random())}" for _ in range(int(chooser.integers(1, 4)))]
            chooser.shuffle(found)
            yield ", ".join(["1girl", "solo", *found])


def _frequencies() -> tuple[list[str], list[float], list[list[str]]]:
    """The tags that come independently of each other with the shares of posts that have them; and the families of
    which one is chosen, each tag as often as its weight says."""
    lexicon = load_lexicon()
    free: dict[str, float] = {}
    families: dict[str, list[str]] = {key: [] for key in PICK_ONE}
    with (Path(__file__).parent / "tags.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            share = int(row["posts"]) / POSTS
            attribute = next((claim.attribute for claim in lexicon.lookup(row["tag"])), "")
            if attribute in families:
                families[attribute] += [row["tag"]] * round(share * WEIGHTS)
            else:
                free[row["tag"]] = share
    return list(free), list(free.values()), list(families.values())


def benchmark(make: MakePipeline, config: PipelineConfig, items: int, folder: Path | None = None) -> dict[str, Any]:
    """Run generated items through the pipeline into a new database.

    Returns items/s of the whole and seconds by stage, success rate, mean confidence, peak memory (MiB), the ratio of
    its time to that of a run that only reads and writes, and the hardware.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        texts = Path(place) / "texts.jsonl"
        with texts.open("w", encoding="utf-8") as file:
            for number, text in enumerate(make_texts(items)):
                file.write(json.dumps({"id": f"item-{number:08}", "text": text}) + "\n")
        plain = _measure(make, config, texts, Path(place) / "plain.db", extractors=[])
        whole = _measure(make, config, texts, Path(place) / "whole.db", extractors=None)
    return {
        "items": items,
        "items_per_second": whole["items_per_second"],
        "seconds": whole["seconds"],
        "items_per_second_by_stage": {name: round(items / spent) for name, spent in whole["seconds"].items() if spent},
        "ratio_to_reading_and_writing": round(whole["seconds"]["run"] / plain["seconds"]["run"], 2),
        "success_rate": whole["success_rate"],
        "mean_confidence": round(whole["mean_confidence"], 4),
        "database_mib": whole["database_mib"],
        "workers": whole["workers"],
        "peak_memory_mib": whole["peak_memory_mib"],
        "hardware": describe_machine(),
    }


def _measure(
    make: MakePipeline, config: PipelineConfig, texts: Path, db_path: Path, extractors: list[Any] | None
) -> dict[str, Any]:
    database = config.database.model_copy(update={"db_path": str(db_path)})
    with make(config.model_copy(update={"database": database}), extractors=extractors) as pipeline:
        summary = pipeline.run(texts)
        statistics = pipeline.get_statistics()
    size = sum(path.stat().st_size for path in db_path.parent.glob(f"{db_path.name}*"))
    return {**summary.to_json(), **statistics, "database_mib": round(size / 2**20, 1)}
