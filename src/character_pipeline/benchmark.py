"""Measures the pipeline on texts that are made up here: the whole, and beside it the same run without any extractor."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.config import PipelineConfig
from character_pipeline.runs.hardware import describe_machine, peak_memory_mib
from character_pipeline.vocabulary.lexicon import load_lexicon

if TYPE_CHECKING:
    from character_pipeline.pipeline import CharacterPipeline

MakePipeline = Callable[..., "CharacterPipeline"]
"""As `create_pipeline`, which hands itself in: the pipeline offers this benchmark as a method."""

NAMES = 100_000
GATES = frozenset({"people", "safety"})


def make_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Tag lists as they are found in the wild: one character, 15 to 40 tags, few of them frequent and most rare, some
    beside the point, one to three names of which a few are met again and again."""
    lexicon = load_lexicon()
    telling = sorted(tag for tag, claims in lexicon.rows.items() if not GATES & {claim.attribute for claim in claims})
    general = sorted(lexicon.names)
    chooser = random.Random(seed)
    chooser.shuffle(telling)
    chooser.shuffle(general)
    telling_share = list(accumulate(1.0 / (rank + 5) for rank in range(len(telling))))
    general_share = list(accumulate(1.0 / (rank + 5) for rank in range(len(general))))
    for _ in range(count):
        tags = chooser.choices(telling, cum_weights=telling_share, k=chooser.randint(8, 22))
        tags += chooser.choices(general, cum_weights=general_share, k=chooser.randint(5, 13))
        tags += [f"name_{int(NAMES ** chooser.random())}" for _ in range(chooser.randint(1, 3))]
        yield ", ".join(["1girl", "solo", *tags])


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
        "ratio_to_reading_and_writing": round(whole["seconds"]["run"] / plain["seconds"]["run"], 2),
        "success_rate": whole["success_rate"],
        "mean_confidence": round(whole["mean_confidence"], 4),
        "database_mib": whole["database_mib"],
        "workers": whole["workers"],
        "peak_memory_mib": peak_memory_mib(),
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
