"""The tab *Review*: one question after the other, answered with one key; every answer is kept and can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from character_pipeline.database.feedback import (
    Feedback,
    count_feedback,
    feedback_on,
    give_feedback,
    newest_feedback,
    undo_feedback,
)
from character_pipeline.database.review import Question, review_queue
from character_pipeline.errors import CharpipeError
from character_pipeline.web.ui.html import bar, chip, esc, note, picture
from character_pipeline.web.ui.record import claim_html
from character_pipeline.web.ui.scripts import KEYS

if TYPE_CHECKING:
    from character_pipeline.database.store import Store
    from character_pipeline.web.service import Service

AUTHOR = "web"
AT_ONCE = 30
HISTORY = 12
ANY = "any attribute"
DONE = "Nothing is left to ask. Extract more items, or come back when there are."
HELP = (
    ("1 – 9", "say this value"), ("Enter", "confirm"), ("0", "none of it can be seen"),
    ("→", "skip"), ("←", "back"), ("u", "take back"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What one person has before them.

    Attributes:
        questions: asked one after the other.
        place: the one that is shown.
        given: the numbers of the statements that were made here, oldest first.
        attribute: the only one to ask about, or ANY.
    """

    questions: tuple[Question, ...] = ()
    place: int = 0
    given: tuple[int, ...] = ()
    attribute: str = ANY

    @property
    def question(self) -> Question | None:
        return self.questions[self.place] if self.place < len(self.questions) else None


def review_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    labels = [attribute.label for attribute in service.vocabulary.attributes.values()]
    desk = gr.State(Desk())
    with gr.Row(elem_classes="cp-split"):
        with gr.Column(scale=3, min_width=320):
            card = gr.HTML("", js_on_load=KEYS, elem_id="question")
        with gr.Column(scale=1, min_width=260):
            attribute = gr.Dropdown([ANY, *labels], value=ANY, label="Ask about", elem_id="ask-about")
            other = gr.Dropdown([], label="Another value", info="Where none of the keys fits.", elem_id="other")
            history = gr.HTML("", elem_id="history")

    def begin(about: str, before: Desk) -> list[Any]:
        return _shown(service, _refill(service, replace(before, attribute=about)))

    def answer(before: Desk, event: gr.EventData) -> list[Any]:
        return _shown(service, _act(service, before, vars(event)["_data"]))

    def say(value: str, before: Desk) -> list[Any]:
        return _shown(service, _say(service, before, [value]) if value else before)

    shown = [desk, card, other, history]
    gr.on([tab.select, attribute.change], begin, [attribute, desk], shown, show_progress="hidden")
    card.answer(answer, desk, shown, show_progress="hidden")
    other.input(say, [other, desk], shown, show_progress="hidden")


def _refill(service: Service, desk: Desk) -> Desk:
    about = None if desk.attribute == ANY else desk.attribute
    with service.reading() as store:
        return replace(desk, questions=tuple(review_queue(store, about, AT_ONCE)), place=0)


def _act(service: Service, desk: Desk, asked: Any) -> Desk:
    """What a key does. An answer to a question that is no longer shown does nothing."""
    if not isinstance(asked, dict):
        return desk
    act = asked.get("act")
    if act == "undo":
        return _undo(service, desk)
    if desk.question is None or asked.get("question") != name_of(desk.question):
        return desk
    if act == "skip":
        return _onward(service, desk)
    if act == "back":
        return replace(desk, place=max(0, desk.place - 1))
    return _say(service, desk, _values(desk.question, asked.get("keys"))) if act == "say" else desk


def name_of(question: Question) -> str:
    return f"{question.attribute}: {question.item_id}"


def _values(question: Question, keys: object) -> list[str]:
    """The values that keys stand for; none where there is no key."""
    numbers = [key for key in keys if isinstance(key, int)] if isinstance(keys, list) else []
    return [question.chances[key - 1][0] for key in numbers if 1 <= key <= len(question.chances)]


def _say(service: Service, desk: Desk, values: Sequence[str]) -> Desk:
    question = desk.question
    if question is None:
        return desk
    try:
        with service.writing() as store:
            said = give_feedback(store, question.item_id, question.attribute, values, AUTHOR)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error
    return _onward(service, replace(desk, given=(*desk.given, said.number)))


def _onward(service: Service, desk: Desk) -> Desk:
    """The next question; new ones when all were seen."""
    further = replace(desk, place=desk.place + 1)
    return further if further.question is not None else _refill(service, further)


def _undo(service: Service, desk: Desk) -> Desk:
    """Take back what was said here last, and show its question again."""
    if not desk.given:
        return desk
    with service.writing() as store:
        back = undo_feedback(store, desk.given[-1])
    before = replace(desk, given=desk.given[:-1])
    places = [n for n, one in enumerate(desk.questions) if back and (one.item_id, one.attribute) == back_key(back)]
    return replace(before, place=places[0]) if places else _refill(service, before)


def back_key(said: Feedback) -> tuple[str, str]:
    return said.item_id, said.label


def _shown(service: Service, desk: Desk) -> list[Any]:
    with service.reading() as store:
        card = note(DONE) if desk.question is None else question_html(store, desk.question)
        history = history_html(count_feedback(store), len(desk.given), newest_feedback(store, HISTORY))
    labels = {attribute.label: attribute.values for attribute in service.vocabulary.attributes.values()}
    choices = list(labels[desk.question.attribute]) if desk.question else []
    return [desk, card, gr.Dropdown(choices, value=None), history]


def question_html(store: Store, question: Question) -> str:
    """A question, with its picture, a button for each key, and what was claimed."""
    said = {one.label: one.values for one in feedback_on(store, question.item_id)}.get(question.attribute)
    about = f'<p class="cp-note">You said: <b>{esc(", ".join(said) or "none")}</b></p>' if said is not None else ""
    decided = chip(question.state, question.state) if question.state != "known" else esc(", ".join(question.values))
    evidence = "".join(f"<li>{claim_html(claim)}</li>" for claim in question.evidence)
    many = " Several may be true." if question.many else ""
    name, several = esc(name_of(question)), "yes" if question.many else "no"
    below = f'<figcaption class="cp-quiet">{esc(question.item_id)}</figcaption>'
    return (
        f'<article class="cp-question" tabindex="-1" data-question="{name}" data-many="{several}">'
        f"<figure>{picture(question.item_id, 960)}{below}</figure>"
        f"<div><h3>{esc(question.attribute)}?</h3>"
        f'<p class="cp-quiet">Asked because {esc(question.reason)}.{many} Decided so far: {decided}</p>{about}'
        f'<div class="cp-keys">{_buttons(question)}</div><p class="cp-acts">{_acts()}</p>'
        f'<details class="cp-gates" open><summary>Evidence</summary><ul>{evidence}</ul></details></div></article>'
    )


def _buttons(question: Question) -> str:
    """A button for each value that has a key; the likeliest one is what Enter confirms."""
    pressed = question.values or tuple(value for value, _ in question.chances[:1] if not question.many)
    buttons = "".join(
        f'<button type="button" data-key="{key}" aria-pressed="{str(value in pressed).lower()}">'
        f"<kbd>{key}</kbd><b>{esc(value)}</b>{bar(chance) if chance else ''}</button>"
        for key, (value, chance) in enumerate(question.chances, 1)
    )
    return f'{buttons}<button type="button" data-key="0"><kbd>0</kbd><b>None, or it cannot be seen</b></button>'


def _acts() -> str:
    acts = (("Enter", "Confirm"), ("ArrowRight", "Skip"), ("ArrowLeft", "Back"), ("u", "Undo"))
    buttons = "".join(
        f'<button type="button" class="cp-button" data-act="{key}">{name}</button> ' for key, name in acts
    )
    return buttons + "".join(f"<span><kbd>{esc(key)}</kbd> {esc(what)}</span> " for key, what in HELP)


def history_html(total: int, here: int, newest: Iterable[Feedback]) -> str:
    """How much was said, and what of late."""
    lines = "".join(
        f'<li title="{esc(one.item_id)}">{picture(one.item_id, 160)}<span>{esc(one.label)}: '
        f"<b>{esc(', '.join(one.values) or 'none')}</b><small>{esc(one.item_id)}</small></span></li>"
        for one in newest
    )
    return (
        f'<div class="cp-history"><p><b id="answers">{total:,}</b> answers in all, <b>{here}</b> of them just now</p>'
        f"<ul>{lines}</ul></div>"
    )
