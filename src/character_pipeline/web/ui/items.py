"""Items of the store on a page: a gallery of many, and all of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from character_pipeline.database.feedback import feedback_on
from character_pipeline.database.queries import get_result
from character_pipeline.web.ui.html import bar, chip, esc, note, picture
from character_pipeline.web.ui.record import QUARANTINED, record_html

if TYPE_CHECKING:
    from character_pipeline.data import CharacterAttributes, ExtractionResult
    from character_pipeline.database.feedback import Feedback
    from character_pipeline.database.store import Store

GONE = "There is no such item."
SHOWN = ("Gender", "Age", "Hair Color", "Hair Length", "Eye Color")
MOST_TEXT = 4_000


def gallery_html(found: Iterable[ExtractionResult]) -> str:
    """A card an item; a click on it picks it."""
    cards = "".join(_card(one.item_id, one.attributes) for one in found)
    return f'<div class="cp-gallery">{cards}</div>' if cards else note("Nothing matches these filters.")


def _card(item_id: str, record: CharacterAttributes) -> str:
    values = [record.attributes[label].value for label in SHOWN if label in record.attributes]
    said = " · ".join(value for value in values if value)
    below = f"{chip(record.status, record.status)} " if record.status != "ok" else ""
    return (
        f'<button type="button" data-pick="{esc(item_id)}" title="{esc(item_id)}">{picture(item_id, 320)}'
        f"<span><b>{esc(item_id)}</b><small>{below}{esc(said) or '&nbsp;'}</small>"
        f"{bar(record.confidence)}</span></button>"
    )


def alike_html(found: Iterable[tuple[str, float]]) -> str:
    """Items with how alike they are, from -1 to 1; a click on one picks it."""
    cards = "".join(
        f'<button type="button" data-pick="{esc(item_id)}" title="{esc(item_id)}: {likeness:.2f} alike">'
        f"{picture(item_id, 160)}</button>"
        for item_id, likeness in found
    )
    return f'<div class="cp-strip">{cards}</div>' if cards else note("No other picture looks like it.")


def item_html(store: Store, item_id: str) -> str:
    """All that the store has on one item."""
    found = get_result(store, item_id)
    if found is None or found.status == QUARANTINED:
        return note(GONE)
    text = _text(store, item_id)
    words = f'<p class="cp-text" title="its text">{esc(text)}</p>' if text else ""
    return (
        f'<article class="cp-one"><h3 title="{esc(item_id)}">{esc(item_id)}</h3>{picture(item_id, 960)}{words}'
        f"{_feedback(feedback_on(store, item_id))}{record_html(found.attributes)}</article>"
    )


def _text(store: Store, item_id: str) -> str:
    query = "SELECT substr(d.text, 1, ?) FROM details d JOIN items i ON i.id = d.item WHERE i.item_id = ?"
    row = store.db.execute(query, (MOST_TEXT, item_id)).fetchone()
    return str(row[0]) if row and row[0] else ""


def _feedback(said: Iterable[Feedback]) -> str:
    lines = "".join(
        f"<li>{esc(one.label)}: <b>{esc(', '.join(one.values) or 'none can be seen')}</b></li>" for one in said
    )
    return f'<div class="cp-note"><b>People said</b><ul>{lines}</ul></div>' if lines else ""
