"""What stands behind the tabs: pages of items, jobs, figures, and a policy that is trained and adopted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from character_pipeline.database.feedback import give_feedback
from character_pipeline.database.jobs import Job, JobState
from character_pipeline.web.service import Service
from character_pipeline.web.ui import analytics, batch, explore
from character_pipeline.web.ui.comparing import Told, compared
from character_pipeline.web.ui.explore import Asked, find_page, show_alike, show_item
from character_pipeline.web.ui.policy import FILE, MASKED, _labels, adopt_file, course_html, curve_of, versions_html
from character_pipeline.web.ui.training import Course, Trainer, Wish
from tests.web.conftest import settings

COUNT = 130
COLORS = ("red", "blue", "black")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Texts that say a hair color, and people who say that it is true; one item is quarantined."""
    place = tmp_path_factory.mktemp("tabs")
    rows = [{"id": f"item-{n:03}", "text": f"1girl, solo, {COLORS[n % 3]}_hair"} for n in range(COUNT)]
    rows.append({"id": "aside", "text": "1girl, solo, loli, nude, red_hair"})
    (place / "texts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with Service(settings(place)) as service:
        service.pipeline.run(place / "texts.jsonl")
        with service.writing() as store:
            for n in range(COUNT):
                give_feedback(store, f"item-{n:03}", "hair_color", [COLORS[n % 3].title()])
        yield service


def test_pages_of_items(filled: Service) -> None:
    with filled.reading() as store:
        page, total = find_page(store, Asked())
        assert (len(page), total) == (explore.PAGE + 1, COUNT)
        page, total = find_page(store, Asked(("hair_color=Red",), "blue_hair", 0.5))
        assert page == []
        page, total = find_page(store, Asked(("hair_color=Red",), "red_hair", 0.5, 40))
        assert [one.item_id for one in page] == ["item-120", "item-123", "item-126", "item-129"]
        assert total is None


def test_every_choice_is_a_filter(filled: Service) -> None:
    with filled.reading() as store:
        for _, written in explore.filter_choices(filled.vocabulary):
            find_page(store, Asked((written,)))


def test_what_is_set_aside_or_means_nothing_is_not_shown(filled: Service) -> None:
    assert "no such item" in show_item(filled, "aside")
    assert "no such item" in show_item(filled, "missing")
    assert "item-000" in show_item(filled, "item-000")
    assert "cp-warn" in show_alike(filled, "aside")
    shown = explore._page(filled, Asked(("nonsense=1",)))
    assert "cp-warn" in str(shown[0])


def test_an_empty_database_says_what_to_do(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service:
        gallery, counted, *_ = explore._page(service, Asked())
        assert "no items yet" in str(gallery)
        assert counted == ""
        assert "Nothing matches" in str(explore._page(service, Asked(("hair_color=Red",)))[0])


def test_figures(filled: Service) -> None:
    with filled.reading() as store:
        totals, coverage, speed, actions, wrong = analytics._whole(store)
        values, sure, right, words = analytics._about(store, "Hair Color")
    assert f"{COUNT}</b>" in totals
    assert {row[0] for row in values["value"]["data"]} == {"Red", "Blue", "Black"}
    assert sum(row[1] for row in sure["value"]["data"]) == COUNT
    assert {row[1] for row in right["value"]["data"] if row[2] == "answers"} == {1.0}
    assert coverage["visible"]
    assert speed["visible"]
    assert not actions["visible"]
    assert "Nothing went wrong" in wrong
    assert "No two sources" in words


USUAL: dict[str, Any] = {
    "name": "folder-1", "source": "/data/<b>", "options": {"kind": "folder"}, "digest": "", "stopping": False,
    "created": 0.0, "started": 0.0, "ended": None, "total": 10, "done": 5, "per_second": 2.0,
    "failures": {"empty_file": 2}, "error": None, "prefix": None,
}  # fmt: skip


def job(state: JobState = "running", **more: Any) -> Job:
    return Job(**{**USUAL, "state": state, **more})


def test_jobs_on_a_page() -> None:
    running = batch.jobs_html([job()], now=60.0)
    assert "<b>5</b> of 10 items · 2.0 items/s · about 2 s left" in running
    assert "2 empty file" in running
    assert "<b><b>" not in running
    assert 'data-pick="stop:folder-1"' in running
    assert 'data-pick="resume:folder-1"' in batch.jobs_html([job("cancelled")], now=60.0)
    assert "downloads/folder-1/parquet" in batch.jobs_html([job("done")], now=60.0)
    assert not batch.can_resume(job("cancelled", options={}))


def test_a_batch_needs_something(filled: Service) -> None:
    with pytest.raises(gr.Error, match="nothing was chosen"):
        batch.start_batch(filled, [], "")
    with pytest.raises(gr.Error, match="no such dataset"):
        batch.start_batch(filled, [], "/nowhere/at all")


def ended(course: Course) -> Course:
    end = time.monotonic() + 120
    while course.running and time.monotonic() < end:
        time.sleep(0.05)
    return course


def test_a_policy_is_trained_watched_and_judged(filled: Service) -> None:
    trainer = Trainer(filled)
    course = ended(trainer.start(Wish(steps=100)))
    assert course.error == ""
    assert course.report is not None
    assert len(course.curve) > 2
    curve = curve_of(course)
    assert curve is not None
    assert len(curve["data"]) == 2 * len(course.curve)
    assert "utility an attribute" in course_html(course, COUNT)
    assert trainer.file.is_file()
    with pytest.raises(gr.Error, match="did not adopt"):
        adopt_file(filled, trainer.file)
    assert "policy of the package" in versions_html([])


def test_without_labels_it_takes_pictures_that_are_sure(filled: Service) -> None:
    course = ended(Trainer(filled).start(_labels(filled, MASKED, "")))
    assert "a text and a picture that is sure" in course.error
    with pytest.raises(gr.Error, match="name the truth file"):
        _labels(filled, FILE, " ")


def test_a_training_stops_when_told(filled: Service) -> None:
    trainer = Trainer(filled)
    course = trainer.start(Wish(steps=100_000))
    trainer.stop()
    assert "stopped" in ended(course).error
    assert not trainer.file.exists()


def test_two_ways_of_deciding(filled: Service) -> None:
    told: list[object] = []
    found = compared(filled, ("hierarchical", "majority_voting"), Told(lambda *a, **k: told.append(a)))
    assert "Hair Color" in found
    assert "100.0%" in found
    assert told
    assert "cp-warn" in compared(filled, ("hierarchical", "nonsense"), Told(lambda *a, **k: None))
