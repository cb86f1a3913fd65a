"""Items flow in batches: while the pictures of one batch are read, those of the next are being decoded."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

from character_pipeline.attribute_fusion.gates import is_quarantined
from character_pipeline.data import Item, Problem, Processed
from character_pipeline.errors import ItemError
from character_pipeline.extractors.base import PipelineStage
from character_pipeline.processing.concluding import conclude
from character_pipeline.processing.decode_pool import Decoded, DecodePool, DecodeThreads
from character_pipeline.processing.decoding import Decoder, Ticket
from character_pipeline.processing.meter import Meter
from character_pipeline.processing.reading import Seen, read_pictures
from character_pipeline.processing.stages import Stages
from character_pipeline.processing.work import Work, run_stage
from character_pipeline.rl_optimizer.choices import PURCHASES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCHES_AHEAD = 2
"""Batches whose pictures may be decoded while one is read."""
BYTES_AT_ONCE = 64 * 2**20
"""Bytes of encoded pictures after which a batch ends."""
READ_AT_ONCE = 32
"""Pictures that readers are given at once which do not say; the others of their batch are decoded meanwhile."""
FIRST_AT_ONCE = 4
"""So few for each processor, at least: fewer would not give all of them something to do. At the very beginning no more,
for until the first are decoded, no reader has anything to do."""
SECONDS_AT_ONCE = 5.0
"""No more at once than take so long: a slow model shows progress, too, and can be stopped."""

Find = Callable[[Iterable[str]], Mapping[str, Mapping[str, "NDArray[np.float16]"]]]
"""Looks up the vectors of contents, by hash and reader."""


def process_items(
    items: Iterable[Item],
    stages: Stages,
    find: Find | None = None,
    meter: Meter | None = None,
    threads: int = 1,
    pool: DecodePool | None = None,
) -> Generator[Processed, None, None]:
    """The result of each item, in their order. An item may bring the readings and facts that are known of it.

    Args:
        find: looks up what earlier runs read in the same pictures.
        meter: is told where the time goes.
        threads: how many pictures are decoded at a time.
        pool: who decodes them instead; it stays open.
    """
    with ExitStack() as opened:
        decoders = pool or opened.enter_context(closing(DecodeThreads(stages.image_options, threads)))
        decoder = opened.enter_context(closing(Decoder(stages.image_options, decoders)))
        flow = _Flow(stages, decoder, find, meter or Meter(), FIRST_AT_ONCE * threads)
        ahead: deque[_Batch] = deque()
        for batch in _cut(items, stages.config.run.batch_size):
            ahead.append(_Batch(flow, batch))
            while ahead and (len(ahead) > BATCHES_AHEAD or not ahead[0].tickets):
                yield from ahead.popleft().finish()
        for waiting in ahead:
            yield from waiting.finish()


def _cut(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    held = 0
    for item in items:
        batch.append(item)
        held += len(item.image or b"")
        if len(batch) >= size or held >= BYTES_AT_ONCE:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


class _Flow:
    """What all batches share.

    Args:
        least: pictures that are read at once, where there are so many.
    """

    def __init__(self, stages: Stages, decoder: Decoder, find: Find | None, meter: Meter, least: int) -> None:
        self.stages = stages
        self.decoder = decoder
        self.find = find
        self.meter = meter
        self.most_at_once = max(
            [getattr(reader, "at_once", READ_AT_ONCE) for reader in stages.readers.values()], default=1
        )
        self.at_once = self.least = min(least, self.most_at_once)

    def read(self, seen: Sequence[Seen]) -> None:
        """Have pictures read, and learn from it how many to read at once."""
        start = time.perf_counter()
        read_pictures([pair for pair in seen if not pair[0].spared], self.stages, self.meter)
        each = (time.perf_counter() - start) / len(seen)
        fitting = int(SECONDS_AT_ONCE / max(each, 1e-6)) // self.least * self.least  # fills all threads
        self.at_once = min(max(self.least, fitting), self.most_at_once)

    def run(self, stage: PipelineStage, works: Sequence[Work]) -> None:
        if works:
            with self.meter.time(stage.name):
                run_stage(stage, works)

    def look_up(self, works: Sequence[Work]) -> None:
        """Take what is known of pictures that came with their bytes."""
        asked = [work for work in works if work.item.image is not None and self.missing(work)]
        found = self.find([work.item.content_hash for work in asked]) if self.find and asked else {}
        for work in asked:
            if known := found.get(work.item.content_hash):
                work.item = replace(work.item, readings={**known, **work.item.readings})

    def missing(self, work: Work) -> list[str]:
        return [] if work.spared else [key for key in self.stages.readers if key not in work.item.readings]

    def send(self, work: Work) -> None:
        """Have the item's picture decoded, where a stage or reader needs it or it was never checked."""
        missing = self.missing(work)
        looked_at = bool(self.stages.readers) and not work.spared
        unchecked = work.facts is None and (looked_at or self.stages.config.input_loader.check_pictures)
        if work.item.image is None or not (missing or unchecked or self.stages.image_stages):
            return
        readers = {key: self.stages.readers[key] for key in missing}
        try:
            work.ticket = self.decoder.add(work.item.image, readers, bool(self.stages.image_stages))
        except ItemError as error:
            work.problems += (Problem("image", error.kind, str(error)),)


class _Batch:
    """Some items; begun when it is made."""

    def __init__(self, flow: _Flow, items: Sequence[Item]) -> None:
        start = time.perf_counter()
        self.flow = flow
        self.works = [Work(item, problems=item.problems, facts=item.facts) for item in items]
        for stage in flow.stages.text_stages:
            flow.run(stage, [work for work in self.works if work.item.text is not None])
        for work in self.works:
            if flow.stages.config.safety.quarantine and "safety" in work.claims:
                work.quarantined = is_quarantined(work.claims["safety"])
        self.visible = [work for work in self.works if not work.quarantined]
        self._send()
        self.seconds = time.perf_counter() - start

    def _send(self) -> None:
        self._spare()
        seen = [work for work in self.visible if not work.spared]
        if self.flow.stages.readers:
            self.flow.look_up(seen)
        unread = [work for work in seen if work.facts and work.item.image is None and self.flow.missing(work)]
        self.flow.meter.counts["pictures_missed"] += len(unread)
        for work in self.visible:
            self.flow.send(work)
        self.tickets = [work for work in self.visible if work.ticket is not None]

    def _spare(self) -> None:
        """Set aside the pictures that are not worth their cost: those of items whose texts say enough."""
        saver, sampler = self.flow.stages.saver, self.flow.stages.sampler
        shown = [work for work in self.visible if work.item.image is not None or work.item.readings]
        for work in shown:
            work.samples = sampler.samples(work.item.item_id) if sampler is not None else ()
        told = [work for work in shown if work.claims]
        if saver is None or not told:
            return
        wanted = saver.wants_picture(self.flow.stages.fuser.ballots([work.claims for work in told]))
        for work, wants in zip(told, wanted.tolist(), strict=True):
            work.bought = PURCHASES if wants else ()
        self.flow.meter.counts["pictures_spared"] += sum(work.spared for work in told)

    def finish(self) -> list[Processed]:
        start = time.perf_counter()
        flow, stages = self.flow, self.flow.stages
        self._look()
        flow.meter.counts["pictures_cached"] += sum(
            bool(work.item.readings) and not work.fresh and not work.spared for work in self.visible
        )
        for stage in stages.reading_stages:
            keys = {reader.key for reader in stage.readers}
            flow.run(stage, [work for work in self.visible if not work.spared and _has(work, stage, keys)])
        with flow.meter.time("decide"):
            seconds = (self.seconds + time.perf_counter() - start) / len(self.works)
            return conclude(self.works, stages, seconds)

    def _look(self) -> None:
        """Read the pictures, some at a time, each as soon as it is decoded."""
        flow = self.flow
        for seen in self._decoded():
            flow.read(seen)
            for work, decoded in seen:
                work.item = replace(work.item, picture=decoded.whole)
            for stage in flow.stages.image_stages:
                flow.run(stage, [work for work, _ in seen if stage.needs <= {"image"} or work.item.text is not None])
            for work, _ in seen:
                work.item = replace(work.item, picture=None)
                self._release(work)
            flow.meter.counts["pictures_decoded"] += len(seen)
            flow.meter.counts["pictures_read"] += sum(bool(decoded.prepared or work.fresh) for work, decoded in seen)

    def _decoded(self) -> Iterator[list[Seen]]:
        """The pictures as they come. Where memory lets no more of them wait, the readers get fewer at once."""
        seen: list[Seen] = []
        for work in self.tickets:
            assert work.ticket is not None
            if seen and (len(seen) >= self.flow.at_once or work.ticket.future is None):
                yield seen
                seen = []
            if (decoded := self._take(work, work.ticket)) is not None:
                seen.append((work, decoded))
        if seen:
            yield seen

    def _take(self, work: Work, ticket: Ticket) -> Decoded | None:
        try:
            with self.flow.meter.time("wait"):
                decoded = self.flow.decoder.take(ticket)
        except ItemError as error:
            work.problems += (Problem("image", error.kind, str(error)),)
            self._release(work)
            return None
        work.facts = decoded.facts
        self.flow.meter.spend("decode", decoded.seconds)
        return decoded

    def _release(self, work: Work) -> None:
        if work.ticket is not None:
            self.flow.decoder.release([work.ticket])
            work.ticket = None


def _has(work: Work, stage: PipelineStage, keys: set[str]) -> bool:
    """Whether an item has all that a reading stage needs."""
    return keys <= work.item.readings.keys() and ("text" not in stage.needs or work.item.text is not None)
