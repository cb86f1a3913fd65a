"""How long a whole data set takes: a sample of it is measured, and the arithmetic is shown."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from character_pipeline.config import PipelineConfig, is_server
from character_pipeline.errors import ConfigError
from character_pipeline.input_loader import Entry, Source, open_source
from character_pipeline.models.machine import count_cores
from character_pipeline.runs.run import RunSummary

if TYPE_CHECKING:
    from character_pipeline.data import Item
    from character_pipeline.pipeline import CharacterPipeline

MakePipeline = Callable[[PipelineConfig], "CharacterPipeline"]

WARM = 8
"""Items that are processed before anything is measured: models are loaded with the first."""
WAITING = frozenset({"wait", "process", "run", "inventory", "write"})
"""Seconds of a run that are no work of a processor, or are counted apart."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a run is planned for.

    Attributes:
        pictures_per_second: what one model reads on a GPU; None: the processors read, as they did in the sample.
    """

    cores: int
    machines: int = 1
    pictures_per_second: float | None = None


@dataclass(slots=True)
class Estimate:
    """The time that some hardware takes, by its parts (seconds), which go on side by side: the longest bounds it."""

    hardware: Hardware
    parts: dict[str, float]

    @property
    def bound(self) -> str:
        return max(self.parts, key=lambda name: self.parts[name])

    @property
    def seconds(self) -> float:
        return self.parts[self.bound]


@dataclass(slots=True)
class Plan:
    """What was measured, and what follows from it.

    Attributes:
        items: of the whole data set.
        sample: items that were measured.
        pictures: the share of items whose picture is read.
        costs: seconds of one processor that an item takes, by part: "reading", "decoding", "texts", "models",
            "deciding", and "writing", which one process does for all.
        disk: bytes that the database needs.
        free: bytes that are free where it will be; None where nobody here knows, on a server.
        failed: items of the sample that could not be described.
        estimates: for this machine first, then for the hardware that was asked for.
    """

    items: int
    sample: int
    pictures: float
    costs: dict[str, float]
    disk: int
    free: int | None
    failed: int
    listing: float
    estimates: list[Estimate] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        estimates = [asdict(one) | {"bound": one.bound, "seconds": one.seconds} for one in self.estimates]
        return asdict(self) | {"estimates": estimates}


@dataclass(slots=True)
class _Sample:
    """Some entries of a source, as a source."""

    source: Source
    entries: Sequence[Entry]
    kind: str = "sample"

    def inventory(self) -> Iterator[Entry]:
        yield from self.entries

    def read(self, entries: Sequence[Entry]) -> Iterator[Item]:
        return self.source.read(entries)


def plan_run(
    make: MakePipeline, config: PipelineConfig, uri: str, sample: int = 200, asked: Sequence[Hardware] = ()
) -> Plan:
    """Measure a sample that is spread over the data set, with these settings and in this process, and say what the
    whole takes here and on other hardware. Writes nothing but a temporary database.

    Raises ConfigError when there is nothing to measure.
    """
    import time

    source = open_source(uri, config.input_loader)
    start = time.perf_counter()
    items = sum(1 for _ in source.inventory())
    listing = time.perf_counter() - start
    if not items:
        raise ConfigError(f"nothing to plan: {uri} has no items")
    chosen = list(islice(source.inventory(), 0, None, max(1, items // (sample + WARM))))[: sample + WARM]
    summary, readers, size = _measure(make, config, uri, source, chosen)
    plan = _plan(config, items, summary, readers, size, listing)
    here = Hardware(count_cores())
    plan.estimates = [estimate(plan, hardware) for hardware in (here, *asked)]
    return plan


def _measure(
    make: MakePipeline, config: PipelineConfig, uri: str, source: Source, chosen: Sequence[Entry]
) -> tuple[RunSummary, dict[str, int], int]:
    """What a run over the sample did, the threads of each reader by its key, and the bytes of the database."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "sample.db"
        database = config.database.model_copy(update={"db_path": str(path)})
        run = config.run.model_copy(update={"workers": 1})
        with closing(make(config.model_copy(update={"database": database, "run": run}))) as pipeline:
            warm = WARM if len(chosen) > WARM else 0
            if warm:
                pipeline.run_sources({f"{uri}#warm": _Sample(source, chosen[:warm])})
            before = _bytes(pipeline)
            summary = pipeline.run_sources({uri: _Sample(source, chosen[warm:])}, fine=False)
            threads = {key: getattr(reader, "threads", 0) or count_cores() for key, reader in _models(pipeline).items()}
            size = _bytes(pipeline) - before
        return summary, threads, size


def _models(pipeline: CharacterPipeline) -> dict[str, Any]:
    return {key: reader for key, reader in pipeline.stages.readers.items() if hasattr(reader, "threads")}


def _bytes(pipeline: CharacterPipeline) -> int:
    """The pages of the database, also those that are still in its log."""
    db = pipeline.store.db
    return int(db.execute("PRAGMA page_count").fetchone()[0]) * int(db.execute("PRAGMA page_size").fetchone()[0])


def _plan(
    config: PipelineConfig, items: int, summary: RunSummary, models: dict[str, int], size: int, listing: float
) -> Plan:
    done = max(summary.processed, 1)
    seconds = summary.seconds
    parts = {
        "reading": seconds.get("read", 0.0),
        "decoding": seconds.get("decode", 0.0),
        "models": sum(seconds.get(key, 0.0) * threads for key, threads in models.items()),
        "deciding": seconds.get("decide", 0.0),
    }
    counted = {"read", "decode", "decide", *models, *WAITING}
    parts["texts and claims"] = sum(value for name, value in seconds.items() if name not in counted)
    parts["writing"] = seconds.get("write", 0.0)
    return Plan(
        items=items,
        sample=summary.processed,
        pictures=summary.counts["pictures_read"] / done,
        costs={name: value / done for name, value in parts.items()},
        disk=round(size / done * items),
        free=_free(config.database.db_path),
        failed=summary.statuses["failed"],
        listing=listing,
    )


def _free(place: str) -> int | None:
    if is_server(place):
        return None
    parents = Path(place).absolute().parents
    return shutil.disk_usage(next(parent for parent in parents if parent.exists())).free


def estimate(plan: Plan, hardware: Hardware) -> Estimate:
    """Processors share all work, though only one writes; a GPU takes the models' part from them."""
    shared = dict(plan.costs)
    cores = hardware.cores * hardware.machines
    parts = {"writing": plan.items * plan.costs["writing"]}
    if hardware.pictures_per_second is not None:
        shared.pop("models")
        parts["gpu"] = plan.items * plan.pictures / (hardware.pictures_per_second * hardware.machines)
    parts["processors"] = plan.items * sum(shared.values()) / cores
    return Estimate(replace(hardware), parts)


def duration_text(seconds: float) -> str:
    """A time as people say it: 40 s, 3.5 min, 2.1 h, 4.0 days."""
    for size, name in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:,.0f} s"
