"""The tab *Analytics*: what is in the store, how far it can be relied on, what went wrong, and how fast it went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import gradio as gr

from character_pipeline.database.feedback import count_feedback
from character_pipeline.database.queries import ErrorGroup, get_statistics, list_errors
from character_pipeline.evaluation.figures import (
    Agreement,
    Sample,
    agreements,
    confidences,
    coverages,
    draw_sample,
    mix,
    reliabilities,
    resources,
    throughput,
)
from character_pipeline.web.ui.html import bar, chip, esc, figures, note, table
from character_pipeline.web.ui.plots import Kind, plotted
from character_pipeline.web.ui.terms import explain

if TYPE_CHECKING:
    from character_pipeline.database.store import Store
    from character_pipeline.web.service import Service

MOST_VALUES = 24
HEIGHT = 260
BINS = 10
STATES = {
    "known": "#6366f1",
    "unknown": "#94a3b8",
    "not visible": "#0ea5e9",
    "conflicting": "#f59e0b",
    "not applicable": "#a78bfa",
}


def analytics_tab(service: Service, tab: gr.Tab) -> None:
    """Lay out the tab, and wire it."""
    labels = [attribute.label for attribute in service.vocabulary.attributes.values()]
    totals = gr.HTML("", js_on_load=None, elem_id="totals")
    coverage = _bars("attribute", "items", "Coverage", color="state", color_map=STATES, x_label_angle=-40, sort=labels)
    with gr.Row(elem_classes="cp-split"):
        about = gr.Dropdown(labels, value=labels[0], label="Attribute", elem_id="about")
        again = gr.Button("Look again", elem_id="again", scale=0, min_width=160)
    with gr.Row(elem_classes="cp-split"):
        values = _bars("value", "items", "Values", x_label_angle=-40, sort="-y")
        sure = _bars("confidence", "answers", "Confidence of known values")
        right = gr.LinePlot(
            x="confidence", y="right", color="of", title="Reliability", color_title=" ", x_lim=[0, 1], y_lim=[0, 1],
            tooltip="all", height=HEIGHT, min_width=300,
        )  # fmt: skip
    agreed = gr.HTML("", js_on_load=None, elem_id="agreed")
    with gr.Row(elem_classes="cp-split"):
        speed = gr.ScatterPlot(
            x="time", y="items a second", color="run", title="Throughput, by minute", y_lim=[0, None], height=HEIGHT,
            min_width=300,
        )  # fmt: skip
        actions = _bars("attribute", "items", "Actions of the policy", color="action", x_label_angle=-40)
    wrong = gr.HTML("", js_on_load=None, elem_id="wrong")

    def show(label: str) -> list[Any]:
        with service.reading() as store:
            return [*_whole(store), *_about(store, label)]

    def show_one(label: str) -> list[Any]:
        with service.reading() as store:
            return _about(store, label)

    one = [values, sure, right, agreed]
    gr.on(
        [tab.select, again.click], show, about, [totals, coverage, speed, actions, wrong, *one], show_progress="hidden"
    )
    about.change(show_one, about, one, show_progress="hidden")


def _bars(x: str, y: str, title: str, **more: Any) -> gr.BarPlot:
    return gr.BarPlot(x=x, y=y, y_lim=[0, None], title=title, height=HEIGHT, min_width=300, **more)


def _whole(store: Store) -> list[Any]:
    plots = (coverage_rows(store), speed_rows(store), action_rows(store))
    return [totals_html(store), *map(_plot, plots), errors_html(list_errors(store))]


def _about(store: Store, label: str) -> list[Any]:
    sample = draw_sample(store)
    pairs = [one for one in agreements(store, sample) if one.attribute == label]
    right = right_rows(store, label)
    words = note(explain("reliability") if right else f"Nobody has said yet what is true of {label}.")
    return [
        *map(_plot, (value_rows(store, label), sure_rows(store, sample, label), right)),
        words + agreements_html(label, pairs),
    ]


def _plot(rows: dict[str, Any] | None) -> Any:
    """A plot with its numbers; without any, there is none."""
    return gr.update(value=rows, visible=rows is not None)


def totals_html(store: Store) -> str:
    found, used = get_statistics(store), resources(store)
    counts = {status: count for status, count in found["by_status"].items() if count and status != "quarantined"}
    numbers = [("items", f"{found['items']:,}"), *((status, f"{count:,}") for status, count in counts.items())]
    numbers += [("mean confidence", f"{found['mean_confidence']:.2f}")]
    numbers += [
        ("ms an item", f"{1000 * found['seconds_per_item']:.2f}"),
        ("answers by people", f"{count_feedback(store):,}"),
    ]
    numbers += [("memory, MiB", f"{used['memory_mib'] or 0:,.0f}"), ("cores", used["cores"])]
    return figures([*numbers, ("database, MiB", f"{used['database_bytes'] / 2**20:,.1f}")])


def coverage_rows(store: Store) -> dict[str, Any] | None:
    rows = [
        (one.attribute, count, state.replace("_", " "))
        for one in coverages(store)
        for state, count in one.states.items()
        if one.described
    ]
    return plotted({"attribute": "nominal", "items": "quantitative", "state": "nominal"}, rows, "bar")


def value_rows(store: Store, label: str) -> dict[str, Any] | None:
    found = next(one for one in coverages(store) if one.attribute == label)
    rows = list(found.values.items())[:MOST_VALUES]
    return plotted({"value": "nominal", "items": "quantitative"}, rows, "bar")


def sure_rows(store: Store, sample: Sample, label: str) -> dict[str, Any] | None:
    found = next(one for one in confidences(store, sample, BINS) if one.attribute == label)
    width = 1 / len(found.counts)
    rows = [(f"{place * width:.1f}", count) for place, count in enumerate(found.counts)]
    return plotted({"confidence": "nominal", "answers": "quantitative"}, rows if any(found.counts) else [], "bar")


def right_rows(store: Store, label: str) -> dict[str, Any] | None:
    """The share that is right by confidence, beside what it would be if confidence were exact."""
    found = next((one for one in reliabilities(store) if one.attribute == label), None)
    if found is None:
        return None
    rows = [(one["sure"], one["right"] / one["answers"], "answers", one["answers"]) for one in found.bins]
    rows += [(tenth / 10, tenth / 10, "exact", 0) for tenth in range(11)]
    columns: dict[str, Kind] = {
        "confidence": "quantitative",
        "right": "quantitative",
        "of": "nominal",
        "answers": "quantitative",
    }
    return plotted(columns, rows, "line")


def agreements_html(label: str, pairs: Iterable[Agreement]) -> str:
    rows = [
        (f"{esc(one.first)} and {esc(one.second)}", f"{one.both:,}", bar(one.same / one.both, "the share that agrees"))
        for one in pairs
        if one.both
    ]
    if not rows:
        return note(f"No two sources speak of {label} in the same item.")
    return f"<h3>Sources that speak of {esc(label)}</h3>{table(('sources', 'items with both', 'agree'), rows)}"


def speed_rows(store: Store) -> dict[str, Any] | None:
    rows = [
        (1000 * one["minute"], one["items"] / 60, f"run {one['run']}") for one in throughput(store)["minutes"]
    ]  # fmt: skip
    return plotted({"time": "temporal", "items a second": "quantitative", "run": "nominal"}, rows, "point")


def action_rows(store: Store) -> dict[str, Any] | None:
    found = mix(draw_sample(store)).actions
    rows = [(label, count, action) for label, counts in found.items() for action, count in counts.items()]
    return plotted({"attribute": "nominal", "items": "quantitative", "action": "nominal"}, rows, "bar")


def errors_html(groups: Iterable[ErrorGroup]) -> str:
    """What went wrong, by kind: how often, what to do, and where."""
    rows = [
        (
            chip(one.kind, "failed", one.advice),
            f"{one.count:,}",
            esc(one.advice),
            "<br>".join(f"<small><b>{esc(item)}</b>: {esc(message)}</small>" for item, message in one.examples),
        )
        for one in groups
    ]
    if not rows:
        return note("Nothing went wrong.")
    return f"<h3>What went wrong</h3>{table(('kind', 'items', 'what to do', 'examples'), rows)}"
