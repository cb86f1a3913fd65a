"""What Prometheus is told of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from character_pipeline.data import CharacterAttributes
from character_pipeline.processing import Meter
from character_pipeline.runs.hardware import held_memory_bytes

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
PICTURES = ("pictures_decoded", "pictures_read", "pictures_cached", "pictures_spared")


class Metrics:
    """One registry for one service; its numbers are asked for by whoever scrapes them."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "charpipe_requests", "Requests that were answered", ["method", "route", "status"], registry=registry
        )
        self.latency = Histogram(
            "charpipe_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.items = Counter("charpipe_items", "Items that were described", ["how", "status"], registry=registry)
        self.stages = Counter("charpipe_stage_seconds", "Time by stage, summed", ["stage"], registry=registry)
        self.pictures = Counter("charpipe_pictures", "Pictures by what was done with them", ["what"], registry=registry)
        self.batches = Histogram(
            "charpipe_batch_items", "Single items that were processed together", buckets=SIZES, registry=registry
        )
        self.model = Gauge("charpipe_model_info", "What looks at pictures", ["reader"], registry=registry)
        self.about = Gauge(
            "charpipe_info",
            "Version of the program, fingerprint of its settings",
            ["version", "fingerprint"],
            registry=registry,
        )
        memory = Gauge("charpipe_memory_bytes", "Memory that this process holds", registry=registry)
        memory.set_function(lambda: held_memory_bytes() or 0)

    def watch(self, name: str, what: str, ask: Callable[[], float]) -> None:
        """Show a number that is asked for at each scrape."""
        Gauge(name, what, registry=self.registry).set_function(ask)

    def watch_all(self, name: str, what: str, label: str, ask: Callable[[], Mapping[str, float]]) -> None:
        """Show numbers by a label, asked for at each scrape."""
        self.registry.register(_Asked(name, what, label, ask))

    def saw_batch(self, found: Iterable[CharacterAttributes], meter: Meter) -> None:
        """Single items were processed together."""
        statuses = [record.status for record in found]
        self.batches.observe(len(statuses))
        for status in statuses:
            self.items.labels("single", status).inc()
        self.spent(meter.seconds, meter.counts, meter.speakers)

    def spent(self, seconds: Mapping[str, float], counts: Mapping[str, int], speakers: Mapping[str, str]) -> None:
        """Time went by, pictures were read."""
        for stage, time in seconds.items():
            self.stages.labels(stage).inc(max(time, 0.0))
        for name in PICTURES:
            self.pictures.labels(name.removeprefix("pictures_")).inc(counts.get(name, 0))
        for speaker in speakers.values():
            self.model.labels(speaker).set(1)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Asked:
    def __init__(self, name: str, what: str, label: str, ask: Callable[[], Mapping[str, float]]) -> None:
        self.name, self.what, self.label, self.ask = name, what, label, ask

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(self.name, self.what, labels=[self.label])
        for value, number in self.ask().items():
            family.add_metric([value], number)
        yield family

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return [GaugeMetricFamily(self.name, self.what, labels=[self.label])]
