"""Where the time goes, and what was done."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Seconds by part, counts by name, and what readers call themselves; since it was read last.

    The parts: "decode" (of processors, summed over threads), "wait" (for pictures that were not decoded in time), the
    name of each stage and the key of each reader, and "decide".
    """

    seconds: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, str] = field(default_factory=dict)

    def spend(self, part: str, seconds: float) -> None:
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    @contextmanager
    def time(self, part: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spend(part, time.perf_counter() - start)

    def take(self) -> Meter:
        """What it shows; from then on it shows what comes after."""
        taken = Meter(self.seconds, self.counts, self.speakers)
        self.seconds, self.counts, self.speakers = {}, Counter(), {}
        return taken
