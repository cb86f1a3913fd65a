"""Two ways of deciding beside each other, on all items of the database; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING

import gradio as gr

from character_pipeline.errors import CharpipeError
from character_pipeline.evaluation.compare import Apart, Beside, Comparison, Judged, compare_sides
from character_pipeline.evaluation.sides import decided, read_truths
from character_pipeline.web.ui.html import esc, note, table, term
from character_pipeline.web.ui.training import Trainer

if TYPE_CHECKING:
    from character_pipeline.runs.run import RunSummary
    from character_pipeline.web.service import Service

TRAINED = "the policy that was trained here"
HEAD = ("attribute", "same", "A says", "B says", "A sure", "B sure")
JUDGED = ("labelled", "A right", "B right", "B − A", "95 % interval", "p")


class Told:
    """Tells a page how far the deciding is."""

    def __init__(self, tell: Callable[..., object]) -> None:
        self.tell = tell
        self.todo = 0

    def listed(self, items: int) -> None: ...

    def begin(self, todo: int, done: int, workers: int) -> None:
        self.todo = todo

    def advance(self, summary: RunSummary, items: int) -> None:
        self.tell((summary.processed, self.todo), desc="deciding")

    def end(self) -> None: ...


def compare_fields(service: Service, trainer: Trainer) -> None:
    """Lay out the comparison, and wire it."""
    choices = [*service.strategies, TRAINED]
    gr.HTML("<h3>Two ways of deciding, on all items of the database</h3>", js_on_load=None)
    with gr.Row(elem_classes="cp-split"):
        first = gr.Dropdown(choices, value=choices[0], label="A", elem_id="side-a")
        second = gr.Dropdown(choices, value=choices[1], label="B", elem_id="side-b")
        start = gr.Button("Compare", elem_id="beside", scale=0, min_width=160)
    found = gr.HTML("", js_on_load=None, elem_id="comparison")

    def run(one: str, other: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008 - gradio asks for it so
        return compared(service, (_side(trainer, one), _side(trainer, other)), Told(progress))

    start.click(run, [first, second], found, show_progress_on=found, concurrency_limit=1)


def _side(trainer: Trainer, name: str) -> str:
    """What a side is called where it decides. Raises gr.Error where nothing was trained yet."""
    if name != TRAINED:
        return name
    if not trainer.file.is_file():
        raise gr.Error("no policy was trained here yet", print_exception=False)
    return str(trainer.file)


def compared(service: Service, sides: tuple[str, str], told: Told) -> str:
    place = service.config.database.db_path
    try:
        with decided(sides, place, progress=told) as stores:
            return comparison_html(compare_sides(sides, stores, read_truths(place, None)))
    except CharpipeError as error:
        return note(str(error), "warn")


def comparison_html(found: Comparison) -> str:
    """Where two sides differ, and which is right, as far as people said what is."""
    about = f"{found.items:,} items, of {found.labelled:,} of which people said what is true."
    told = found.together is not None
    rows = [(*_row(one), *(_judged(one.judged) if told else ())) for one in found.attributes]
    rows += [("<b>all</b>", *[""] * 5, *_judged(found.together))] if told else []
    head = (*HEAD[:4], *(term("confidence", name) for name in HEAD[4:]), *(JUDGED if told else ()))
    apart = "".join(_apart(one) for one in found.apart)
    return f"{note(about)}{table(head, rows)}" + (f"<h3>Where they differ most</h3><ul>{apart}</ul>" if apart else "")


def _row(one: Beside) -> tuple[str, ...]:
    shares = (count / max(one.items, 1) for count in (one.same, one.first_known, one.second_known))
    sure = ("–" if isnan(number) else f"{number:.2f}" for number in (one.first_sure, one.second_sure))
    return f"<b>{esc(one.attribute)}</b>", *(f"{share:.1%}" for share in shares), *sure


def _judged(one: Judged | None) -> tuple[str, ...]:
    if one is None:
        return ("",) * len(JUDGED)
    low, high = one.interval
    chance = "" if one.corrected is None else f"{one.corrected:.3f}"
    apart = f"{one.difference:+.1%}", f"{low:+.1%} to {high:+.1%}"
    return f"{one.items:,}", f"{one.first:.1%}", f"{one.second:.1%}", *apart, chance


def _apart(one: Apart) -> str:
    said = "; ".join(
        f"{esc(label)}: {esc(first)} | {esc(second)}" for label, (first, second) in one.differences.items()
    )
    return f"<li><b>{esc(one.item_id)}</b>: {said}</li>"
