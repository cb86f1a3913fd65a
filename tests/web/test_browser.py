"""The pages as people use them: every tab, with the keyboard, on a phone; nothing is asked of other machines."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from character_pipeline import create_pipeline
from character_pipeline.cli.common import DATABASE
from character_pipeline.sample import bundled_folder
from tests.conftest import picture_bytes
from tests.web.browser import PHONE, Visit, running_browser, visiting
from tests.web.process import serving

TABS = ("Extract", "Explore", "Review", "Batch", "Analytics", "Policy")
EVIL = "<img src=x onerror=alert(1)> ${1+1} {{value}} red hair"
Visiting = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the package; one that is broken, one that is set aside, and one whose text is hostile."""
    folder = tmp_path_factory.mktemp("data")
    for path in sorted(bundled_folder().glob("00[0-3]*.*")):
        shutil.copy(path, folder / path.name)
    (folder / "broken.png").write_bytes(picture_bytes()[:40])
    (folder / "aside.png").write_bytes(picture_bytes())
    (folder / "aside.txt").write_text("1girl, solo, loli, nude")
    (folder / "evil.txt").write_text(f"1girl, solo, red_hair, {EVIL}")
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[str]:
    place = tmp_path_factory.mktemp("output")
    settings = {"clip_analyzer": {"model_name": "embedded"}, "database": {"db_path": str(place / DATABASE)}}
    with create_pipeline(settings) as pipeline:
        pipeline.run(data)
    with serving(place, ui=True) as server:
        server.wait_ready()
        yield server.address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture
def visit(browser: Browser, address: str, tmp_path: Path) -> Visiting:
    return partial(visiting, browser, address, tmp_path)


def test_extract_tells_what_and_why(visit: Visiting) -> None:
    with visit() as seen:
        page = seen.page
        seen.open_tab("Extract")
        page.locator("#examples button").nth(1).click()
        expect(page.locator("#record .cp-head")).to_contain_text("single")
        page.locator("#record summary", has_text="Hair Length").click()
        expect(page.locator("#record details[open]")).to_contain_text("long_hair")
        expect(page.locator("#flat")).to_contain_text('"Hair Length": "Long"')
        seen.keep("extract")
        page.locator("#compare").click()
        expect(page.locator("#record .cp-compare thead")).to_contain_text("bayesian")
        seen.keep("compare")


def test_extract_takes_files_and_hostile_texts(visit: Visiting, data: Path) -> None:
    with visit() as seen:
        page = seen.page
        seen.open_tab("Extract")
        page.locator("input[type=file]").first.set_input_files(data / "0009.webp")
        expect(page.locator("img[alt='']").or_(page.locator(".image-frame img")).first).to_be_visible()
        page.get_by_label("Tags or description").fill(EVIL)
        page.locator("#extract").click()
        expect(page.locator("#record .cp-head")).to_contain_text("ok")
        page.locator("#record summary", has_text="Hair Color").click()
        expect(page.locator("#record details[open]")).to_contain_text("red hair")
        assert page.locator("#record img").count() == 0
        with page.expect_download() as download:
            page.get_by_role("link", name="Download JSON").click()
        assert '"Hair Color": "Red"' in download.value.path().read_text()


def test_a_broken_picture_is_said_to_be_broken(visit: Visiting, data: Path) -> None:
    with visit() as seen:
        seen.open_tab("Extract")
        seen.page.locator("input[type=file]").first.set_input_files(data / "broken.png")
        seen.page.wait_for_timeout(500)
        seen.page.locator("#extract").click()
        expect(seen.page.locator("#record")).to_contain_text("not_an_image")


def test_explore_filters_searches_and_shows_one(visit: Visiting) -> None:
    with visit() as seen:
        page = seen.page
        seen.open_tab("Explore")
        cards = page.locator("#gallery [data-pick]")
        expect(page.locator("#counted")).to_contain_text("of 42")
        expect(page.locator("#gallery [data-pick^=aside]")).to_have_count(0)
        page.locator("#onward").click()
        expect(page.locator("#counted")).to_contain_text("25–42")
        page.locator("#filters input").fill("Hair Color: Red")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(page.locator("#gallery [data-pick='evil.txt']")).to_be_visible()
        page.locator("#words textarea, #words input").first.fill("onerror")
        page.keyboard.press("Enter")
        expect(cards).to_have_count(1)
        cards.first.click()
        expect(page.locator("#one .cp-text")).to_contain_text("<img src=x onerror=alert(1)>")
        assert page.locator("#one img").count() == 1
        page.get_by_role("button", name="Correct it").click()
        page.locator("#correct-what input").fill("Eye Color")
        page.keyboard.press("Enter")
        page.wait_for_timeout(700)  # until the values are those of the attribute
        page.locator("#correct-to input").fill("Aqua")
        expect(page.get_by_role("option", name="Aqua")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.locator("#correct-say").click()
        expect(page.locator("#one .cp-note")).to_contain_text("Eye Color: Aqua")


def test_similar_pictures(visit: Visiting) -> None:
    with visit(scheme="dark") as seen:
        page = seen.page
        seen.open_tab("Explore")
        page.locator("#gallery [data-pick='0001.webp']").click()
        expect(page.locator("#one h3")).to_have_text("0001.webp")
        page.locator("#like").click()
        expect(page.locator("#alike [data-pick]").first).to_be_visible()
        seen.keep("explore-dark")
        page.locator("#alike [data-pick]").first.click()
        expect(page.locator("#one h3")).not_to_have_text("0001.webp")


def test_review_by_keys_changes_the_figures(visit: Visiting) -> None:
    with visit() as seen:
        page = seen.page
        seen.open_tab("Review")
        card = page.locator("#question [data-question]")
        first = card.get_attribute("data-question")
        seen.keep("review")
        before = int(page.locator("#answers").inner_text())
        page.keyboard.press("0")
        expect(card).not_to_have_attribute("data-question", first or "")
        expect(page.locator("#answers")).to_have_text(str(before + 1))
        expect(page.locator("#history li")).to_have_count(before + 1)
        second = card.get_attribute("data-question")
        page.keyboard.press("ArrowRight")
        expect(card).not_to_have_attribute("data-question", second or "")
        page.keyboard.press("ArrowLeft")
        expect(card).to_have_attribute("data-question", second or "")
        seen.click_tab("Analytics")
        expect(page.locator("#totals")).to_contain_text(f"{before + 1}answers by people")
        expect(page.locator("#wrong")).to_contain_text("broken.png")
        expect(page.locator("canvas, svg.marks").first).to_be_visible()
        page.wait_for_timeout(800)
        seen.keep("analytics")
        seen.click_tab("Review")
        page.wait_for_timeout(300)
        page.keyboard.press("u")
        expect(page.locator("#answers")).to_have_text(str(before))
        expect(card).to_have_attribute("data-question", first or "")


def test_batch_from_an_archive(visit: Visiting, data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "sent.zip", "w") as archive:
        for name in ("0000.webp", "0000.txt", "0009.webp", "broken.png"):
            archive.write(data / name, name)
    with visit() as seen:
        page = seen.page
        seen.open_tab("Batch")
        page.locator("#sent input[type=file]").set_input_files(tmp_path / "sent.zip")
        expect(page.locator("#sent")).to_contain_text("sent")
        page.wait_for_timeout(500)
        page.locator("#start").click()
        expect(page.locator(".cp-job[data-state=done]")).to_be_visible(timeout=60_000)
        expect(page.locator(".cp-job")).to_contain_text("not an image")
        seen.keep("batch")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
        assert [row["status"] for row in rows].count("ok") == 2
        page.locator("#start").click()
        expect(page.get_by_text("nothing was chosen")).to_be_visible()
        seen.wrong.clear()  # the browser notes that this was refused


def test_policy_says_why_it_cannot_learn(visit: Visiting) -> None:
    with visit() as seen:
        page = seen.page
        seen.open_tab("Policy")
        expect(page.locator("#versions")).to_contain_text("policy of the package decides")
        page.locator("#train").click()
        expect(page.locator("#training .cp-warn")).to_contain_text(re.compile("label|feedback"))
        page.locator("#beside").click()
        expect(page.locator("#comparison tbody, #comparison table").first).to_contain_text("Hair Color", timeout=40_000)
        seen.keep("policy")


def test_nothing_scrolls_sideways_on_a_phone(visit: Visiting) -> None:
    with visit(size=PHONE) as seen:
        seen.page.goto(seen.address)
        for tab in TABS:
            seen.click_tab(tab)
            seen.page.wait_for_timeout(700)
            width = seen.page.evaluate("document.documentElement.scrollWidth")
            assert (tab, width) == (tab, PHONE[0])
            seen.keep(f"phone-{tab.lower()}")


def test_pages_of_other_places_may_not_ask(address: str) -> None:
    import httpx

    asked = {"fn_index": 0, "data": [], "session_hash": "x"}
    answer = httpx.post(f"{address}/gradio_api/queue/join", json=asked, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
