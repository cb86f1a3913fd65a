"""The tab *Extract*: one picture, tags or a description, and the record with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from character_pipeline.errors import CharpipeError, ItemError
from character_pipeline.input_loader.images import read_file
from character_pipeline.web.ui.html import esc, note
from character_pipeline.web.ui.pictures import examples
from character_pipeline.web.ui.record import comparison_html, flat_html, record_html
from character_pipeline.web.ui.scripts import PICK
from character_pipeline.web.ui.terms import explain

if TYPE_CHECKING:
    from character_pipeline.data import CharacterAttributes, Item
    from character_pipeline.web.service import Service

EXAMPLES = 12
EMPTY = "Drop a picture, or paste tags or a description, and press Extract; or click an example."


def extract_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    with gr.Row(elem_classes="cp-split"):
        with gr.Column(scale=2, min_width=320):
            picture = _picture_field()
            text = gr.Textbox(
                label="Tags or description",
                placeholder="1girl, solo, red hair, ponytail … or: A bald old man with a grey beard.",
                lines=3,
                max_lines=8,
                max_length=100_000,
            )
            strategy = gr.Dropdown(service.strategies, label="Strategy", info=explain("strategy"))
            with gr.Row():
                start = gr.Button("Extract", variant="primary", elem_id="extract")
                compare = gr.Button("Compare strategies", elem_id="compare")
            pick = gr.HTML(_examples(), label="Examples", js_on_load=PICK, elem_id="examples")
        with gr.Column(scale=3, min_width=320):
            shown = gr.HTML(note(EMPTY), elem_id="record")
            flat = gr.HTML("", elem_id="flat")

    def run(path: str | None, said: str, chosen: str) -> tuple[str, str]:
        return _run(service, _item(service, path, said), chosen)

    def run_example(event: gr.EventData) -> tuple[str | None, str, str, str]:
        path, said = _example(str(event.pick))
        return str(path), said, *_run(service, service.make_item(path.read_bytes(), said), service.strategies[0])

    def run_all(path: str | None, said: str) -> tuple[str, str]:
        return _compare(service, _item(service, path, said)), ""

    given, answer = [picture, text, strategy], [shown, flat]
    gr.on([start.click, text.submit], run, given, answer, show_progress_on=shown)
    compare.click(run_all, [picture, text], answer, show_progress_on=shown)
    pick.pick(run_example, None, [picture, text, *answer], show_progress_on=shown)


def _picture_field() -> gr.Image:
    """Where a picture is dropped. What was sent is opened by the pipeline alone, which knows what may be opened; a
    subclass would have gradio write a stub into the package."""
    field = gr.Image(label="Picture", type="filepath", sources=["upload", "clipboard"], height=280, buttons=[])
    field.preprocess = lambda payload: None if payload is None else payload.path  # type: ignore[method-assign]
    return field


def _item(service: Service, path: str | None, text: str) -> Item | None:
    """What was given as an item; None where that is nothing. Raises gr.Error where it cannot be read."""
    if not path and not text.strip():
        return None
    try:
        raw = read_file(Path(path), service.config.input_loader.max_file_bytes) if path else None
    except ItemError as error:
        raise gr.Error(esc(error), print_exception=False) from error
    return service.make_item(raw, text if text.strip() else None)


def _run(service: Service, item: Item | None, strategy: str) -> tuple[str, str]:
    if item is None:
        return note(EMPTY), ""
    record = describe(service, item, strategy)
    return record_html(record, strategy), flat_html(record) if record.status != "quarantined" else ""


def describe(service: Service, item: Item, strategy: str) -> CharacterAttributes:
    """One record. Raises gr.Error that says why there is none."""
    try:
        return service.extract(item, strategy)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error


def _compare(service: Service, item: Item | None) -> str:
    if item is None:
        return note(EMPTY)
    records = {name: describe(service, item, name) for name in service.strategies}
    if next(iter(records.values())).status == "quarantined":
        return record_html(next(iter(records.values())))
    return comparison_html(records)


def _examples() -> str:
    cards = (
        f'<button type="button" data-pick="{number}" title="Extract this example">'
        f'<img src="pictures/examples/{number}" alt="example {number + 1}" loading="lazy"></button>'
        for number in range(min(EXAMPLES, len(examples())))
    )
    return f'<p class="cp-quiet">Examples</p><div class="cp-strip">{"".join(cards)}</div>'


def _example(number: str) -> tuple[Path, str]:
    """A picture of the sample and its text. Raises gr.Error where there is none."""
    known = examples()
    if not number.isdecimal() or int(number) >= len(known):
        raise gr.Error("there is no such example", print_exception=False)
    path = known[int(number)]
    sidecar = path.with_suffix(".txt")
    return path, sidecar.read_text(encoding="utf-8") if sidecar.exists() else ""
