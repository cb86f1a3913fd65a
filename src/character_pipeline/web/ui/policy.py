"""The tab *Policy*: train one, watch it learn, let it decide, or go back to the one before."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from character_pipeline.attribute_fusion.fusion import read_weights
from character_pipeline.database.feedback import count_feedback
from character_pipeline.database.policies import Version, adopt, roll_back, versions
from character_pipeline.errors import CharpipeError
from character_pipeline.rl_optimizer.learned import make_learned
from character_pipeline.rl_optimizer.policy import load_policy
from character_pipeline.web.ui.batch import is_local
from character_pipeline.web.ui.comparing import compare_fields
from character_pipeline.web.ui.html import chip, esc, note, table, term
from character_pipeline.web.ui.plots import plotted
from character_pipeline.web.ui.terms import explain
from character_pipeline.web.ui.training import Course, Trainer, Wish

if TYPE_CHECKING:
    from character_pipeline.web.service import Service

EVERY = 1.0
FEEDBACK, FILE = "feedback in this database", "a truth file on this machine"
MASKED = "none: what texts and pictures together make probable"
MODES = [("the six strategies", "six"), ("what to look at, too", "acquire")]
REWARDS = [("the truth: +1 right, -1 wrong", "truth"), ("looking complete and sure: a cold start", "heuristic")]
OF_PACKAGE = "The policy of the package decides, where the strategy is 'learned'."


def policy_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    trainer = Trainer(service)
    with gr.Row(elem_classes="cp-split"):
        with gr.Column(scale=2, min_width=320):
            gr.HTML(note(explain("policy")), js_on_load=None)
            wishes = _wish_fields(is_local(service))
            with gr.Row():
                start = gr.Button("Train", variant="primary", elem_id="train")
                stop = gr.Button("Stop", interactive=False)
            status = gr.HTML("", elem_id="training")
        with gr.Column(scale=3, min_width=320):
            curve = gr.LinePlot(
                x="step", y="utility", color="of", title="Utility an attribute while it learns", height=260
            )
            with gr.Row():
                take = gr.Button("Let it decide", interactive=False, elem_id="adopt")
                back = gr.Button("Go back to the one before", elem_id="rollback")
            kept = gr.HTML("", elem_id="versions")
    compare_fields(service, trainer)
    timer = gr.Timer(EVERY, active=False)

    def begin(source: str, path: str, mode: str, steps: float, price: float, reward: str) -> list[Any]:
        trainer.start(replace(_labels(service, source, path), mode=mode, steps=int(steps), price=price, reward=reward))
        return _shown(service, trainer)

    def refresh() -> list[Any]:
        return _shown(service, trainer)

    def halt() -> list[Any]:
        trainer.stop()
        return _shown(service, trainer)

    def decide() -> list[Any]:
        gr.Info(f"version {adopt_file(service, trainer.file).number} decides from the next run on")
        return _shown(service, trainer)

    def go_back() -> list[Any]:
        gr.Info(_went_back(service))
        return _shown(service, trainer)

    shown = [status, curve, kept, start, stop, take, timer]
    for button, act in ((stop, halt), (take, decide), (back, go_back)):
        button.click(act, None, shown, show_progress="hidden")
    start.click(begin, wishes, shown, show_progress="hidden")
    gr.on([tab.select, timer.tick], refresh, None, shown, show_progress="hidden")


def _wish_fields(local: bool) -> list[gr.components.Component]:
    sources = [FEEDBACK, MASKED, *([FILE] if local else [])]
    return [
        gr.Radio(sources, value=FEEDBACK, label="Labels"),
        gr.Textbox(label="Truth file", placeholder="truth.jsonl", visible=local, max_length=4096),
        gr.Radio(MODES, value="six", label="What it chooses"),
        gr.Slider(100, 10_000, 1_000, step=100, label="Steps"),
        gr.Slider(0, 0.1, 0, step=0.001, label="Price of a millisecond", info="A right value is worth 1."),
        gr.Radio(REWARDS, value="truth", label="Reward"),
    ]


def _labels(service: Service, source: str, path: str) -> Wish:
    """Raises gr.Error where a file was asked for that nobody here may name."""
    if source != FILE:
        return Wish(masked=source == MASKED)
    if not is_local(service) or not path.strip():
        raise gr.Error("name the truth file", print_exception=False)
    return Wish(truth=Path(path.strip()))


def adopt_file(service: Service, path: Path) -> Version:
    """Let a policy decide. Raises gr.Error that says why it cannot."""
    try:
        weights = read_weights(service.vocabulary, service.config.attribute_fusion)
        make_learned(load_policy(path), weights, tuple(service.vocabulary.attributes))
        with service.writing() as store:
            return adopt(store, path)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error


def _went_back(service: Service) -> str:
    try:
        with service.writing() as store:
            before = roll_back(store)
    except CharpipeError as error:
        raise gr.Error(esc(error), print_exception=False) from error
    which = "the policy of the package" if before is None else f"version {before.number}"
    return f"{which} decides from the next run on"


def _shown(service: Service, trainer: Trainer) -> list[Any]:
    course = trainer.course
    running = course is not None and course.running
    good = course is not None and course.report is not None and course.report["gate"]["adopted"]
    with service.reading() as store:
        kept, labels = versions_html(versions(store)), count_feedback(store)
    return [
        course_html(course, labels),
        curve_of(course),
        kept,
        gr.Button(interactive=not running),
        gr.Button(interactive=running),
        gr.Button(interactive=bool(good and not running)),
        gr.Timer(active=running),
    ]


def curve_of(course: Course | None) -> dict[str, Any] | None:
    points = course.curve if course is not None else []
    rows = [row for step, free, net in points for row in ((step, free, "at no price"), (step, net, "net of cost"))]
    return plotted({"step": "quantitative", "utility": "quantitative", "of": "nominal"}, rows, "line")


def course_html(course: Course | None, labels: int) -> str:
    """How far a training is, and what came of it."""
    if course is None:
        return note(f"{labels:,} answers were given in this database to learn from.")
    lines = "".join(f"<li>{esc(line)}</li>" for line in course.lines[-6:])
    state = "running" if course.running else "failed" if course.error else "done"
    error = note(course.error, "warn") if course.error else ""
    return f"<div class='cp-record'>{chip(state, state)}{error}{_verdict(course)}<ol class='cp-log'>{lines}</ol></div>"


def _verdict(course: Course) -> str:
    if course.report is None:
        return ""
    gate = course.report["gate"]
    low, high = gate["interval"]
    beaten = "It is better than" if gate["adopted"] else "It is not surely better than"
    worths = sorted(course.report["utility"].items(), key=lambda pair: -pair[1])
    rows = [(esc(name), f"{worth:+.4f}") for name, worth in worths]
    said = (
        f"<b>{beaten} {esc(gate['baseline'])}</b> on characters that it did not learn from: "
        f"{gate['difference']:+.4f} utility an attribute (95 %: {low:+.4f} to {high:+.4f})."
    )
    all_of_them = f"<details><summary>All that took part</summary>{table(('what', 'utility'), rows)}</details>"
    return f"<p>{said}</p>{all_of_them}"


def versions_html(found: Iterable[Version]) -> str:
    """The policies that were adopted, the newest first."""
    rows = [_version(one) for one in found]
    if not rows:
        return note(OF_PACKAGE)
    return table(("", "version", "adopted", term("labels"), "at the gate"), reversed(rows))


def _version(one: Version) -> tuple[str, ...]:
    gate = one.gate.get("difference")
    ahead = f"{gate:+.4f}" if isinstance(gate, int | float) else "–"
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.adopted))
    now = chip("decides", "ok", "This policy decides where the strategy is 'learned'.") if one.current else ""
    labels = "unknown" if one.labels is None else f"{one.labels:,}"
    return now, f"{one.number} <small>{esc(one.digest[:12])}</small>", when, labels, ahead
