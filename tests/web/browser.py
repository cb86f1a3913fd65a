"""A real browser on a real server: what a page complains about, and what it asks of others, is written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--no-sandbox", "--disable-background-networking", "--disable-gpu")
SECONDS = 20
DESK, PHONE = (1280, 860), (390, 844)
Scheme = Literal["light", "dark"]


@dataclass
class Visit:
    """A page that is open, and what was wrong with it."""

    page: Page
    address: str
    pictures: Path
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda one: self.wrong.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"asked elsewhere: {url}")

    def open_tab(self, name: str) -> None:
        self.page.goto(self.address + "/")
        self.click_tab(name)

    def click_tab(self, name: str) -> None:
        """Also one that has no room and is in the menu of the others."""
        self.page.locator("[role=tab]:visible").first.wait_for()
        tab = self.page.locator("[role=tab]:visible", has_text=name)
        if not tab.count():
            self.page.locator(".overflow-menu > button").click()
            tab = self.page.locator(".overflow-dropdown button", has_text=name)
        tab.first.click()

    def keep(self, name: str) -> None:
        self.page.screenshot(path=self.pictures / f"{name}.png")


def find_program() -> str:
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser is installed: apt-get install {PROGRAMS[0]}")
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    program = find_program()
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=list(OPTIONS))
        yield browser
        browser.close()


@contextmanager
def visiting(
    browser: Browser, address: str, pictures: Path, size: tuple[int, int] = DESK, scheme: Scheme = "light"
) -> Iterator[Visit]:
    """A page in a window of its own; in the end nothing may have been wrong with it."""
    kept = Path(os.environ.get("CHARPIPE_SCREENSHOTS", pictures))
    kept.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    context.set_default_timeout(1000 * SECONDS)
    visit = Visit(context.new_page(), address, kept)
    visit.watch()
    yield visit
    context.close()
    assert not visit.wrong
