from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from character_pipeline import Evidence, Item, create_pipeline
from character_pipeline.runs import local
from character_pipeline.testing import FakeExtractor
from tests.conftest import WORDS
from tests.runs.test_run import Stop


class Slow(FakeExtractor):
    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]:
        time.sleep(0.1)
        return super().process(batch)


def test_workers_that_are_stopped_have_nothing_to_say(
    tmp_path: Path,
    make_manifest: Callable[[Iterable[str]], Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(local, "AHEAD", 20)  # so that some shards wait that no worker can begin with
    config = {"database": {"db_path": str(tmp_path / "out.db")}, "run": {"shard_size": 1, "workers": 2}}
    with create_pipeline(config, extractors=[Slow(WORDS)]) as pipeline:
        stopped = pipeline.run(make_manifest(["girl"] * 80), progress=Stop(4))
    assert stopped.state == "interrupted"
    assert [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"] == []
