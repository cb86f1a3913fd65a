"""Whatever a text from outside holds, it stays a text on the page."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.data import AttributeValue, CharacterAttributes, Evidence, Problem
from character_pipeline.web.ui.html import bar, chip, esc, note, picture, table
from character_pipeline.web.ui.record import comparison_html, flat_html, record_html

EVIL = "<script>alert(1)</script>\"' onerror=x ${value} {{value}} `\\ \u202e"
wild = st.one_of(st.text(max_size=40), st.just(EVIL))


class Reader(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


@given(wild)
def test_a_text_stays_a_text(text: str) -> None:
    page = Reader(f'<p title="{esc(text)}">{esc(text)}</p>')
    assert page.tags == ["p"]
    assert page.names == {"title"}
    assert not set("{}$`\\\u202e") & set(esc(text))


@given(wild)
def test_parts_of_pages_hold_no_more_than_they_should(text: str) -> None:
    pages = (chip(text, text, text), note(text), picture(text, 160), table([esc(text)], [[esc(text)]]))
    shapes = (chip("x", "x", "x"), note("x"), picture("x", 160), table(["x"], [["x"]]))
    for page, shape in zip(pages, shapes, strict=True):
        read, like = Reader(page), Reader(shape)
        assert read.tags == like.tags
        assert read.names <= like.names | {"class", "title"}


def record_of(text: str, status: str = "ok") -> CharacterAttributes:
    claim = Evidence("hair_color", text, 0.9, text, text)
    decided = AttributeValue("known", (text,), 0.9, text, ((text, 0.1),), (claim,))
    problems = (Problem(text, text, text),)
    return CharacterAttributes(
        {"Hair Color": decided}, "single", status, 0.9, text, errors=problems, reasons=(claim,)  # type: ignore[arg-type]
    )  # fmt: skip


@given(wild)
def test_records_are_escaped(text: str) -> None:
    record = record_of(text)
    for page in (record_html(record, text), flat_html(record), comparison_html({text: record, "other": record})):
        assert "script" not in Reader(page).tags
        assert not any(name.startswith("on") for name in Reader(page).names)
        assert "{{" not in page


def test_a_record_tells_its_evidence() -> None:
    words = Reader(record_html(record_of("red hair"))).words
    assert "red hair → red hair 0.90" in words
    assert "single" in words


def test_nothing_is_shown_of_what_was_set_aside() -> None:
    page = record_html(record_of("red hair", "quarantined"))
    assert "red" not in page
    assert "set aside" in page


def test_bars_stay_within_their_bounds() -> None:
    assert 'width:100%"' in bar(7.0)
    assert 'width:0%"' in bar(-1.0)
