from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from character_pipeline import create_pipeline
from character_pipeline.data import CharacterAttributes
from character_pipeline.errors import ConfigError
from character_pipeline.web.service import Service
from tests.web.conftest import settings

Pictures = list[tuple[bytes, str | None]]


def test_answers_are_those_of_one_at_a_time(service: Service, pictures: Pictures, tmp_path: Path) -> None:
    broken = [(b"no picture", "1girl, red hair"), (b"", None)]
    asked = [*pictures, *broken, *((None, text) for _, text in pictures if text)]

    def ask(pair: tuple[bytes | None, str | None]) -> CharacterAttributes:
        return service.extract(service.make_item(*pair))

    with ThreadPoolExecutor(16) as pool:
        together = [record.to_detail() for record in pool.map(ask, asked)]
    with create_pipeline(settings(tmp_path)) as pipeline:
        assert together == [pipeline.extract_item(service.make_item(*pair)).to_detail() for pair in asked]
    assert max(service.metrics.registry.get_sample_value("charpipe_batch_items_bucket", {"le": "1.0"}) or 0, 1) < len(
        asked
    )


@pytest.mark.parametrize("strategy", ["majority_voting", "ensemble", "bayesian", "learned"])
def test_a_strategy_for_one_request(service: Service, pictures: Pictures, tmp_path: Path, strategy: str) -> None:
    item = service.make_item(*pictures[0])
    usual, other = service.submit(item), service.submit(item, strategy)
    with create_pipeline({**settings(tmp_path), "attribute_fusion": {"fusion_strategy": strategy}}) as pipeline:
        expected = pipeline.extract_item(item).to_detail()
        assert other.result(30).to_detail() == expected
        # the model is that of the service, not a second one
        assert usual.result(30).to_detail() != expected
    assert service._prepare(strategy).readers == service.pipeline.stages.readers


def test_an_unknown_strategy_is_named(service: Service) -> None:
    with pytest.raises(ConfigError, match=r"unknown strategy 'hierarchic'\. Did you mean 'hierarchical'"):
        service.extract(service.make_item(text="1girl"), "hierarchic")


def test_it_says_what_it_does(service: Service) -> None:
    text = service.metrics.text().decode()
    for name in ("items_total", "stage_seconds_total", "batch_items_count", "memory_bytes", "model_info", "ready 1.0"):
        assert f"charpipe_{name}" in text


def test_pictures_that_runs_read_are_known(tmp_path: Path, pictures: Pictures) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.webp").write_bytes(pictures[1][0])
    with Service(settings(tmp_path)) as service:
        before = service.extract(service.make_item(pictures[1][0])).to_detail()
        service.pipeline.run(tmp_path / "data")
        assert service.extract(service.make_item(pictures[1][0])).to_detail() == before
        assert service.metrics.registry.get_sample_value("charpipe_pictures_total", {"what": "cached"}) == 1
