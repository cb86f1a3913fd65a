from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from character_pipeline.database.pages import only_of_source, read_page
from character_pipeline.database.queries import Filter, find_results, get_statistics
from character_pipeline.errors import ConfigError, StoreError
from character_pipeline.web.service import Service
from character_pipeline.web.spool import Sent
from tests.web.conftest import settings

HOSTILE = ("../../etc/passwd", "<script>alert(1)</script>", "/etc/shadow", "a\nb", "C:\\x", "https://example.org/a.png")


def texts(count: int, start: int = 0) -> list[Sent]:
    return [Sent(f"item-{n}", "1girl, solo, red_hair, blue_eyes", None) for n in range(start, start + count)]


def ids(service: Service) -> list[str]:
    with service.reading() as store:
        return [result.item_id for result in find_results(store, Filter())]


def without_model(folder: Path, **serve: Any) -> dict[str, Any]:
    return {**settings(folder, **serve), "clip_analyzer": {"enabled": False}}


def test_a_batch_is_described_and_its_items_are_forgotten(tmp_path: Path, pictures: list[tuple[bytes, str]]) -> None:
    sent = [Sent(name, None, raw) for name, (raw, _) in zip(HOSTILE, pictures, strict=False)]
    with Service(settings(tmp_path)) as service:
        job = service.jobs.start([*sent, *texts(2), Sent("broken", None, b"no picture"), Sent("item-0", "1boy", None)])
        assert (job.state, job.total) == ("queued", len(HOSTILE) + 4)
        done = service.jobs.wait(job.name)
        assert (done.state, done.done, dict(done.failures)) == ("done", job.total, {"not_an_image": 1})
        assert ids(service) == [*HOSTILE, "item-0", "item-1", "broken", "item-0#2"]
        again = service.jobs.wait(service.jobs.start(texts(1)).name)
        assert again.prefix == f"{again.name}//"
        assert ids(service)[-1] == f"{again.name}//item-0"
        assert [path.name for path in (tmp_path / "service.batches").iterdir()] == ["lock"]
        assert [job.name for job in service.jobs.list()] == [again.name, done.name]
        assert 'charpipe_jobs{state="done"} 2.0' in service.metrics.text().decode()


def test_the_same_request_twice_is_one_job(tmp_path: Path) -> None:
    with Service(without_model(tmp_path)) as service:
        first = service.jobs.start(texts(3), key="mine")
        assert service.jobs.start(texts(3), key="mine").name == first.name
        with pytest.raises(ConfigError, match="another request"):
            service.jobs.start(texts(4), key="mine")
        assert service.jobs.start(texts(3), key="other").name != first.name
        assert len(service.jobs.list()) == 2


def test_what_is_no_batch_leaves_nothing(tmp_path: Path) -> None:
    with Service(without_model(tmp_path, max_batch_items=3)) as service:
        for wrong in ([], texts(4)):
            with pytest.raises(ConfigError):
                service.jobs.start(wrong)
        with pytest.raises(ConfigError, match="no such dataset"):
            service.jobs.start_folder(tmp_path / "missing")
        assert service.jobs.list() == []
        assert service.jobs.cancel("missing") is None
        assert [path.name for path in (tmp_path / "service.batches").iterdir()] == ["lock"]


def test_a_folder_of_this_machine(tmp_path: Path, pictures: list[tuple[bytes, str]]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.webp").write_bytes(pictures[0][0])
    with Service(settings(tmp_path)) as service:
        done = service.jobs.wait(service.jobs.start_folder(data).name)
        assert (done.state, done.total, done.done) == ("done", 1, 1)
        assert (data / "a.webp").exists()


def test_jobs_are_cancelled_and_outlive_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**without_model(tmp_path), "run": {"shard_size": 20}}
    reached, go = threading.Event(), threading.Event()

    def hold(self: Any, *_: object) -> None:
        reached.set()
        go.wait(30)

    with Service(config) as service:
        monkeypatch.setattr("character_pipeline.web.jobs.Report._measure", hold)
        running, queued = service.jobs.start(texts(500)), service.jobs.start(texts(5))
        assert reached.wait(30)
        assert (service.jobs.cancel(queued.name) or queued).state == "cancelled"
        assert (service.jobs.cancel(running.name) or queued).stopping
        go.set()
        stopped = service.jobs.wait(running.name)
        assert stopped.state == "cancelled"
        assert 0 < len(ids(service)) < 500
        with service.reading() as store:
            assert get_statistics(store)["waiting"] == 0
        reached.clear()
        go.clear()
        kept = service.jobs.start(texts(500))
        assert reached.wait(30)
        threading.Timer(0.2, go.set).start()
    monkeypatch.undo()
    with Service(config) as service:
        done = service.jobs.wait(kept.name)
        assert (done.state, done.done) == ("done", 500)
        mine = [name for name in ids(service) if name.startswith(f"{kept.name}//")]
        assert len(mine) == len(set(mine)) == 500


def test_one_service_at_a_time(tmp_path: Path) -> None:
    with Service(without_model(tmp_path)), pytest.raises(StoreError, match="another service"):
        Service(without_model(tmp_path))
    with Service(without_model(tmp_path)) as service:
        assert service.jobs.list() == []


def test_a_job_waits_for_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("character_pipeline.web.jobs.LOCKED_SECONDS", 0.05)
    with Service(without_model(tmp_path)) as service:
        with service.pipeline.store.lock():
            job = service.jobs.start(texts(1))
            with pytest.raises(TimeoutError):
                service.jobs.wait(job.name, 0.5)
        assert service.jobs.wait(job.name).state == "done"


def test_on_a_server_as_in_a_file(database: str, tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    config = {**without_model(tmp_path, spool_path=spool), "database": {"db_path": database}}
    with Service(config) as service:
        first = service.jobs.wait(service.jobs.start(texts(30), key="one").name)
        second = service.jobs.wait(service.jobs.start(texts(30)).name)
        assert (first.state, second.state) == ("done", "done")
        with pytest.raises(ConfigError, match="another request"):
            service.jobs.start(texts(2), key="one")
        with service.reading() as store:
            found = Filter()
            only_of_source(store, found, second.source)
            page = read_page(store, found, 0, 20)
            assert [result.item_id for result in page.results] == [f"{second.prefix}item-{n}" for n in range(20)]
            rest = read_page(store, found, page.after or 0, 20)
            assert (len(rest.results), rest.after) == (10, None)
