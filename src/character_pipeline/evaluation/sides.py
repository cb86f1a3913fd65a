"""Two ways of deciding on the same items: a strategy, a policy or a configuration file each, into a database each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from character_pipeline.config import PipelineConfig, is_server, load_config
from character_pipeline.database.feedback import feedback_as_truth
from character_pipeline.database.policies import current_file
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.sources import last_config
from character_pipeline.evaluation.truth import read_truth
from character_pipeline.pipeline import build_stages, create_pipeline
from character_pipeline.processing.deciding import POLICY
from character_pipeline.runs.run import Progress, RunSummary
from character_pipeline.runs.stored import open_stored

POLICY_FILE = ".safetensors"
SETTINGS = frozenset({".toml", ".yaml", ".yml", ".json"})
MAGIC = b"SQLite format 3\0"


def is_database(place: str) -> bool:
    """Whether what is compared on is a finished run, and no data set."""
    if is_server(place):
        return True
    try:
        with Path(place).open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def side_config(side: str, usual: PipelineConfig) -> PipelineConfig:
    """The settings of one side: those of a configuration file, or the usual ones with another policy or strategy."""
    path = Path(side)
    if path.suffix.lower() in SETTINGS:
        return load_config(path)
    policy = path.suffix.lower() == POLICY_FILE
    fusion = usual.attribute_fusion.model_copy(update={"fusion_strategy": POLICY if policy else side})
    learner = usual.rl_optimizer.model_copy(update={"policy": side} if policy else {})
    return usual.model_copy(update={"attribute_fusion": fusion, "rl_optimizer": learner})


@contextmanager
def decided(
    sides: tuple[str, str],
    place: str,
    config: Path | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Store, Store]]:
    """What each side says of the items, as two databases that are gone afterwards.

    A data set is read once, by the first side, and a database not at all: the rest is decided from texts and vectors.
    Only where the second side looks at pictures in another way does it read them again.

    Args:
        place: a data set, or the database of a finished run.
        config: what both sides have in common; by default the settings of that run, or the usual ones.
        limit: only the first so many items of a data set.

    Raises ConfigError for a side that is none, and KeyboardInterrupt after Ctrl-C.
    """
    stored = is_database(place)
    if stored and limit is not None:
        raise ConfigError("a database is compared on as a whole: leave out the limit, or name a data set")
    usual = _usual(place, config, stored)
    settings = [side_config(side, usual) for side in sides]
    with TemporaryDirectory(prefix="charpipe-compare-") as folder, ExitStack() as stack:
        paths = [Path(folder) / name / "decided.db" for name in ("first", "second")]
        adopted = current_file(place if stored else usual.database.db_path)
        placed = [_placed(one, path, adopted) for one, path in zip(settings, paths, strict=True)]
        if stored:
            for one in placed:
                _redecide(one, place, progress)
        else:
            _extract(placed[0], place, limit, progress)
            _second(placed[1], paths[0], place, limit, progress)
        first, second = (stack.enter_context(closing(Store(path, writable=False))) for path in paths)
        yield first, second


def read_truths(place: str, path: Path | None) -> list[dict[str, Any]]:
    """Lines of truth: of a file, else the feedback in the database, where there is any.

    Raises ConfigError where the file cannot be read.
    """
    if path is not None:
        return list(read_truth(path))
    if not is_database(place):
        return []
    with closing(Store(place, writable=False)) as store:
        return feedback_as_truth(store)


def _usual(place: str, config: Path | None, stored: bool) -> PipelineConfig:
    if config is not None or not stored:
        return load_config(config)
    with closing(Store(place, writable=False)) as store:
        return last_config(store)


def _placed(config: PipelineConfig, path: Path, adopted: bytes | None) -> PipelineConfig:
    """With a database of its own, and with the policy that was adopted where the side would otherwise decide."""
    path.parent.mkdir()
    learner = config.rl_optimizer
    if adopted is not None and config.attribute_fusion.fusion_strategy == POLICY and not learner.policy:
        file = path.with_name(f"adopted{POLICY_FILE}")
        file.write_bytes(adopted)
        learner = learner.model_copy(update={"policy": str(file)})
    database = config.database.model_copy(update={"db_path": str(path)})
    return config.model_copy(update={"database": database, "rl_optimizer": learner})


def _extract(config: PipelineConfig, place: str, limit: int | None, progress: Progress | None) -> None:
    with create_pipeline(config) as pipeline:
        _heed(pipeline.run(place, limit, progress=progress))


def _redecide(config: PipelineConfig, place: str | Path, progress: Progress | None) -> None:
    with create_pipeline(config) as pipeline:
        _heed(pipeline.redecide(place, progress=progress))


def _second(config: PipelineConfig, first: Path, place: str, limit: int | None, progress: Progress | None) -> None:
    if _suffices(config, first):
        _redecide(config, first, progress)
    else:
        _extract(config, place, limit, progress)


def _suffices(config: PipelineConfig, first: Path) -> bool:
    """Whether all that these settings look at in pictures was read by the first side."""
    stages = build_stages(config)
    try:
        with closing(Store(first, writable=False)) as store:
            open_stored(store, stages.sizes, stages.decoding)
    except ConfigError:
        return False
    return True


def _heed(summary: RunSummary) -> None:
    if summary.state == "interrupted":
        raise KeyboardInterrupt
