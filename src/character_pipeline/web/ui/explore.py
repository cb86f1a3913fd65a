"""The tab *Explore*: the items of the store, by filters and words, a page at a time, and all of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from character_pipeline.data import PEOPLE, STATES, STATUSES
from character_pipeline.database.queries import Filter, count_results, find_results, parse_filter
from character_pipeline.database.search import add_text
from character_pipeline.errors import CharpipeError
from character_pipeline.identity.neighbours import Progress, similar
from character_pipeline.web.ui.correct import correct_fields
from character_pipeline.web.ui.html import note
from character_pipeline.web.ui.items import alike_html, gallery_html, item_html
from character_pipeline.web.ui.record import QUARANTINED
from character_pipeline.web.ui.scripts import BRING_UP, PICK
from character_pipeline.web.ui.terms import explain

if TYPE_CHECKING:
    from character_pipeline.data import ExtractionResult
    from character_pipeline.database.store import Store
    from character_pipeline.vocabulary import Vocabulary
    from character_pipeline.web.service import Service

PAGE = 24
ALIKE = 12
SEARCH = "In tags and texts: blue_eyes school* -hat"
NONE_YET = "The database has no items yet. Describe some under Batch, or with charpipe extract."
HOW = "Click a picture to see all of it: its record, its text, its evidence."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page shows: the filters that must all hold, words of the texts, the least confidence, and from where."""

    filters: tuple[str, ...] = ()
    words: str = ""
    least: float = 0.0
    offset: int = 0


def explore_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    offset, picked = gr.State(0), gr.State("")
    with gr.Row(elem_classes="cp-filters"):
        filters, words, least = _filter_fields(service)
    with gr.Row(elem_classes="cp-split"):
        with gr.Column(scale=3, min_width=320):
            counted = gr.HTML("", elem_id="counted")
            gallery = gr.HTML("", js_on_load=PICK, elem_id="gallery")
            with gr.Row():
                back = gr.Button("← Back", elem_id="back", interactive=False)
                onward = gr.Button("Next →", elem_id="onward", interactive=False)
        with gr.Column(scale=2, min_width=320, elem_classes="cp-sticky"):
            one = gr.HTML(note(HOW), js_on_load=None, elem_id="one")
            frame = correct_fields(service, picked, one)
            like = gr.Button("Pictures like this", visible=False, elem_id="like")
            alike = gr.HTML("", js_on_load=PICK, elem_id="alike")

    def first(chosen: list[str], typed: str, sure: float) -> list[object]:
        return _page(service, Asked(tuple(chosen), typed, sure))

    def turned(pages: int) -> Callable[..., list[object]]:
        def turn(chosen: list[str], typed: str, sure: float, start: int) -> list[object]:
            return _page(service, Asked(tuple(chosen), typed, sure, max(0, start + pages * PAGE)))

        return turn

    def show(event: gr.EventData) -> list[object]:
        seen = gr.update(visible=True)
        return [show_item(service, str(event.pick)), str(event.pick), seen, seen, ""]

    def find_alike(item_id: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008 - gradio asks for it so
        return show_alike(service, item_id, lambda done, of: progress((done, of), desc="indexing pictures"))

    asked, shown = [filters, words, least], [gallery, counted, offset, back, onward]
    fresh = [tab.select, filters.change, words.submit, least.release]
    gr.on(fresh, first, asked, shown, show_progress="hidden")
    back.click(turned(-1), [*asked, offset], shown, show_progress="hidden")
    onward.click(turned(1), [*asked, offset], shown, show_progress="hidden")
    detail = [one, picked, frame, like, alike]
    gallery.pick(show, None, detail, show_progress="hidden").then(None, js=BRING_UP)
    alike.pick(show, None, detail, show_progress="hidden").then(None, js=BRING_UP)
    like.click(find_alike, picked, alike, show_progress_on=alike)


def _filter_fields(service: Service) -> tuple[gr.Dropdown, gr.Textbox, gr.Slider]:
    choices = filter_choices(service.vocabulary)
    about = "All must hold: values, states such as not visible, a status."
    return (
        gr.Dropdown(choices, multiselect=True, label="Filters", info=about, elem_id="filters", scale=3),
        gr.Textbox(label="Words", info=SEARCH, max_length=1_000, elem_id="words", scale=2, submit_btn=True),
        gr.Slider(0, 1, 0, step=0.05, label="Least confidence", info=explain("confidence"), scale=2),
    )


def filter_choices(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """All that can be filtered by, as it is shown and as a filter is written."""
    fixed = [(f"Status: {name}", f"status={name}") for name in STATUSES if name != QUARANTINED]
    fixed += [(f"People: {name}", f"people={name}") for name in PEOPLE]
    attributes = [
        (f"{attribute.label}: {value.replace('_', ' ')}", f"{attribute.key}={value}")
        for attribute in vocabulary.attributes.values()
        for value in (*attribute.values, *(state for state in STATES if state != "known"))
    ]
    return fixed + [(shown.replace("_", " "), written) for shown, written in attributes]


def make_filter(store: Store, asked: Asked) -> Filter:
    """The filter of the store. Raises ConfigError where one of its parts means nothing."""
    found = parse_filter(store, ",".join(asked.filters))
    if asked.least > 0:
        found.add("r.confidence >= ?", asked.least)
    if asked.words.strip():
        add_text(store, found, asked.words)
    return found


def find_page(store: Store, asked: Asked) -> tuple[list[ExtractionResult], int | None]:
    """A page of items and one more, if there is one; and how many there are, where counting is quick."""
    found = make_filter(store, asked)
    page = list(find_results(store, found, PAGE + 1, evidence=False, offset=asked.offset))
    return page, None if found.conditions else count_results(store, found)


def _page(service: Service, asked: Asked) -> list[object]:
    """The gallery, what it shows of how much, where it begins, and whether one can go back and on."""
    try:
        with service.reading() as store:
            page, total = find_page(store, asked)
    except CharpipeError as error:
        return [note(str(error), "warn"), "", 0, gr.Button(interactive=False), gr.Button(interactive=False)]
    if total == 0 and asked == Asked():
        return [note(NONE_YET), "", 0, gr.Button(interactive=False), gr.Button(interactive=False)]
    last = asked.offset + min(len(page), PAGE)
    many = "many" if total is None and len(page) > PAGE else f"{last if total is None else total:,}"
    counted = f'<p class="cp-quiet" role="status">{asked.offset + 1 if last else 0:,}–{last:,} of {many}</p>'
    turns = [gr.Button(interactive=asked.offset > 0), gr.Button(interactive=len(page) > PAGE)]
    return [gallery_html(page[:PAGE]), counted, asked.offset, *turns]


def show_item(service: Service, item_id: str) -> str:
    """All of one item, and items that look like it."""
    try:
        with service.reading() as store:
            return item_html(store, item_id)
    except CharpipeError as error:
        return note(str(error), "warn")


def show_alike(service: Service, item_id: str, progress: Progress | None = None) -> str:
    """Pictures that look like that of an item. The first time, all pictures are indexed."""
    try:
        with service.reading() as store:
            found = similar(store, item_id, ALIKE, progress=progress)
    except CharpipeError as error:
        return note(str(error), "warn")
    return alike_html(found)
