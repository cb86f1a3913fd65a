"""Saying what is true of the item that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from character_pipeline.database.feedback import give_feedback
from character_pipeline.errors import CharpipeError
from character_pipeline.web.ui.html import esc
from character_pipeline.web.ui.items import item_html
from character_pipeline.web.ui.review import AUTHOR

if TYPE_CHECKING:
    from character_pipeline.web.service import Service


def correct_fields(service: Service, picked: gr.State, one: gr.HTML) -> gr.Accordion:
    """Lay out the fields, and wire them; they are seen when an item is picked."""
    values = {attribute.label: list(attribute.values) for attribute in service.vocabulary.attributes.values()}
    first = next(iter(values))
    frame: gr.Accordion = gr.Accordion("Correct it", open=False, visible=False, elem_id="correct")
    with frame:
        attribute = gr.Dropdown(list(values), value=first, label="Attribute", elem_id="correct-what")
        true = gr.Dropdown(
            values[first],
            multiselect=True,
            label="What is true",
            info="Nothing: none can be seen.",
            elem_id="correct-to",
        )
        say = gr.Button("Say so", elem_id="correct-say")

    def choices(label: str) -> gr.Dropdown:
        return gr.Dropdown(values[label], value=[])

    def correct(item_id: str, label: str, chosen: list[str]) -> str:
        return say_true(service, item_id, label, chosen)

    attribute.change(choices, attribute, true, show_progress="hidden")
    say.click(correct, [picked, attribute, true], one, show_progress="hidden")
    return frame


def say_true(service: Service, item_id: str, label: str, values: list[str]) -> str:
    """Write it down; returns the item as it is shown now. Raises gr.Error that says what is wrong."""
    try:
        with service.writing() as store:
            give_feedback(store, item_id, label, values, AUTHOR)
            return item_html(store, item_id)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error
