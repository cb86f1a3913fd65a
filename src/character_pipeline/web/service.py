"""One pipeline, its store and its jobs, for any number of callers at once."""

from __future__ import annotations

import io
import logging
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from character_pipeline import __version__
from character_pipeline.attribute_fusion.strategies import list_strategies
from character_pipeline.config import PipelineConfig, load_config
from character_pipeline.data import CharacterAttributes, Item
from character_pipeline.database.store import Store
from character_pipeline.database.vectors import VectorCache
from character_pipeline.errors import BusyError, ConfigError, ModelError, StoreError, unknown_name
from character_pipeline.input_loader.base import ItemBuilder
from character_pipeline.models.machine import count_cores
from character_pipeline.pipeline import create_pipeline
from character_pipeline.processing import Meter, Stages, introduce, process_items
from character_pipeline.processing.deciding import POLICY, find_policy
from character_pipeline.processing.decode_pool import DecodeProcesses
from character_pipeline.web.batching import Batcher
from character_pipeline.web.jobs import Jobs
from character_pipeline.web.metrics import Metrics
from character_pipeline.web.spool import spool_of
from character_pipeline.web.stores import Stores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_DECODERS = 8
"""Processes that decode, where the settings do not say how many."""
STOPPABLE = 200
"""Items after which a job can be stopped."""
log = logging.getLogger("character_pipeline")


class Service:
    """What REST and web UI call. Every method may be called from any thread. Close it, or use it as a context manager.

    Raises ConfigError, ModelError or StoreError where settings, model or database cannot be used.

    Attributes:
        jobs: what is done in the background.
        ready: set when the model has answered once.
        failure: why that will not be.
    """

    def __init__(self, config: Mapping[str, Any] | str | Path | PipelineConfig | None = None) -> None:
        self.config = _in_small_shards(load_config(config))
        spool = spool_of(self.config)
        self.pipeline = create_pipeline(self.config)
        self.vocabulary = self.pipeline.vocabulary
        self.metrics = Metrics()
        self.ready = threading.Event()
        self.failure: str | None = None
        self._stages = {self.config.attribute_fusion.fusion_strategy: self.pipeline.stages}
        self._making, self._finding = threading.Lock(), threading.Lock()
        self._cache = self._open_cache()
        self._decoders = self._make_decoders()
        with ExitStack() as opened:
            opened.callback(self.pipeline.close)
            self.pipeline.store  # noqa: B018 - makes the database where there is none
            self._stores = Stores(self.config.database.db_path, self.vocabulary)
            opened.callback(self._stores.close)
            self.jobs = Jobs(self.pipeline, self._stores, spool, self.metrics)
            opened.pop_all()
        serve = self.config.serve
        lanes = 1 if self._decoders is None else 2
        self.batcher = Batcher(self._describe, serve.batch_size, serve.batch_wait_ms / 1000, serve.queue_size, lanes)
        self._introduce_metrics()

    def _open_cache(self) -> VectorCache | None:
        """What earlier runs read in pictures. Used by the threads of the batcher, one at a time."""
        if not self.config.database.enable_caching:
            return None
        stages = self.pipeline.stages
        return VectorCache(self.config.database.db_path, stages.sizes, stages.decoding)

    def _make_decoders(self) -> DecodeProcesses | None:
        """Who decodes single pictures; None: threads of this process."""
        asked, stages = self.config.serve.decode_processes, self.pipeline.stages
        processes = min(count_cores(), MOST_DECODERS) if asked is None else asked
        return DecodeProcesses(stages.image_options, stages.readers, processes) if processes else None

    def _introduce_metrics(self) -> None:
        self.metrics.about.labels(__version__, self.pipeline.stages.fingerprint).set(1)
        self.metrics.watch("charpipe_queue_items", "Single items that wait", lambda: self.batcher.depth)
        self.metrics.watch_all("charpipe_jobs", "Jobs by state", "state", self.jobs.counts)
        self.metrics.watch("charpipe_ready", "Whether the model has answered", self.ready.is_set)

    @property
    def strategies(self) -> list[str]:
        """The strategies that a single item may be decided with, that of the settings first."""
        usual = self.config.attribute_fusion.fusion_strategy
        return list(dict.fromkeys([usual, *list_strategies(), POLICY]))

    def reading(self) -> AbstractContextManager[Store]:
        """The store for one thread, to ask it something."""
        return self._stores.reading()

    def writing(self) -> AbstractContextManager[Store]:
        """The store for one thread, to write beside runs."""
        return self._stores.writing()

    def make_item(self, image: bytes | None = None, text: str | None = None, item_id: str = "") -> Item:
        """An item from what somebody sent."""
        builder = ItemBuilder(item_id, self.config.input_loader.max_text_bytes)
        builder.add_text(text)
        builder.image = image
        return builder.build()

    def submit(self, item: Item, strategy: str | None = None) -> Future[CharacterAttributes]:
        """Ask for one item. Raises ConfigError for an unknown strategy, BusyError where too many items wait."""
        name = strategy or self.config.attribute_fusion.fusion_strategy
        self._prepare(name)
        return self.batcher.submit(item, name)

    def extract(self, item: Item, strategy: str | None = None) -> CharacterAttributes:
        """Describe one item, with others that are asked for at the same time. The answer does not depend on them.

        Raises as `submit`, and BusyError where it takes longer than serve.timeout_seconds.
        """
        answer = self.submit(item, strategy)
        seconds = self.config.serve.timeout_seconds
        try:
            return answer.result(seconds)
        except TimeoutError as error:
            answer.cancel()
            raise BusyError(f"no answer within {seconds:g} s (serve.timeout_seconds): ask again soon") from error

    def _prepare(self, strategy: str) -> Stages:
        """The stages for a strategy, made once, with the same models."""
        with self._making:
            if strategy not in self._stages:
                if strategy not in self.strategies:
                    raise ConfigError(unknown_name("strategy", strategy, self.strategies))
                config = _with_strategy(self.config, strategy)
                extractors = self.pipeline.stages.extractors
                self._stages[strategy] = Stages(config, self.vocabulary, extractors, policy=find_policy(config))
            return self._stages[strategy]

    def _describe(self, strategy: str, items: Sequence[Item]) -> list[CharacterAttributes]:
        meter, stages = Meter(), self._prepare(strategy)
        done = list(process_items(items, stages, self._find, meter, count_cores(), self._decoders))
        introduce(reader for key, reader in stages.readers.items() if key in meter.speakers)
        found = [one.result.attributes for one in done]
        self.metrics.saw_batch(found, meter)
        return found

    def _find(self, digests: Iterable[str]) -> Mapping[str, Mapping[str, NDArray[np.float16]]]:
        """What is known of pictures. A database that cannot be read costs only the time to read them again."""
        if self._cache is None:
            return {}
        try:
            with self._finding:
                return self._cache.find(digests)
        except (StoreError, sqlite3.Error) as error:
            log.warning("the cache cannot be read: %s", error)
            return {}

    def warm_aside(self) -> None:
        """`warm` in a thread of its own; `failure` says why it did not work."""

        def warm() -> None:
            try:
                self.warm()
            except BusyError:
                return  # it is being closed
            except Exception as error:
                log.exception("the model cannot be loaded")
                self.failure = f"the model cannot be loaded ({type(error).__name__}): the log of the service says why"

        threading.Thread(target=warm, name="warming", daemon=True).start()

    def warm(self) -> None:
        """Have the model loaded, and say that the service is ready. Raises ModelError where it cannot answer."""
        from PIL import Image

        picture = io.BytesIO()
        Image.effect_noise((96, 96), 64.0).convert("RGB").save(picture, "PNG")
        record = self.submit(self.make_item(picture.getvalue(), "1girl, solo, red hair")).result()
        if record.errors:
            raise ModelError(record.errors[0].message)
        self.ready.set()

    def close(self) -> None:
        self.jobs.close()
        self.batcher.close()
        if self._decoders is not None:
            self._decoders.close()
        if self._cache is not None:
            self._cache.close()
        self._stores.close()
        self.pipeline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_small_shards(config: PipelineConfig) -> PipelineConfig:
    size = min(config.run.shard_size, STOPPABLE)
    return config.model_copy(update={"run": config.run.model_copy(update={"shard_size": size})})


def _with_strategy(config: PipelineConfig, strategy: str) -> PipelineConfig:
    """The settings with another strategy; what only a policy can do is left out for the others."""
    fusion = config.attribute_fusion.model_copy(update={"fusion_strategy": strategy})
    alone = {} if strategy == POLICY else {"budget_ms": None, "audit_share": 0.0, "explore_share": 0.0}
    learner = config.rl_optimizer.model_copy(update=alone)
    return config.model_copy(update={"attribute_fusion": fusion, "rl_optimizer": learner})
