"""A record as people read it: its values at a glance, and on demand the evidence."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from character_pipeline.web.ui.html import bar, chip, esc, term
from character_pipeline.web.ui.terms import explain

if TYPE_CHECKING:
    from character_pipeline.data import AttributeValue, CharacterAttributes, Evidence
    from character_pipeline.rl_optimizer.choices import Choice, Dealing

SAMPLES = {
    "audit": "audit sample: everything runs; the answer is the usual one",
    "explore": "explores: drawn actions are logged; the answer is the usual one",
}
QUARANTINED = "quarantined"
SET_ASIDE = "This item was set aside by the safety gate. Nothing of it is shown."


def record_html(record: CharacterAttributes, strategy: str = "") -> str:
    """All that is known of an item, and why; of a quarantined one, only that it is."""
    if record.status == QUARANTINED:
        return f'<section class="cp-record"><p class="cp-note cp-warn">{SET_ASIDE}</p></section>'
    rows = [(label, decided) for label, decided in record.attributes.items() if decided.evidence or decided.values]
    silent = [label for label, decided in record.attributes.items() if not (decided.evidence or decided.values)]
    table = "".join(_row(label, decided) for label, decided in rows)
    unknown = f'<p class="cp-quiet">{term("unknown")}: {esc(", ".join(silent))}</p>' if silent else ""
    return (
        f'<section class="cp-record">{_head(record, strategy)}{_problems(record)}{_gates(record)}'
        f'<div class="cp-rows">{_titles() if rows else ""}{table}</div>{unknown}</section>'
    )


def _head(record: CharacterAttributes, strategy: str) -> str:
    weighed = f" · {term('strategy')} <b>{esc(strategy)}</b>" if strategy else ""
    return (
        f'<header class="cp-head">{chip(record.status, record.status)} {term("people")} <b>{esc(record.people)}</b>'
        f" · {term('confidence')} {bar(record.confidence)}{weighed}</header>"
    )


def _problems(record: CharacterAttributes) -> str:
    return "".join(
        f'<p class="cp-note cp-warn"><b>{esc(problem.stage)}: {esc(problem.kind)}</b> {esc(problem.message)}</p>'
        for problem in record.errors
    )


def _gates(record: CharacterAttributes) -> str:
    """Why it is one character, several or none; and what a policy made of the item."""
    lines = [f"<li><b>{esc(claim.attribute)}</b> {claim_html(claim)}</li>" for claim in record.reasons]
    lines += [f"<li><b>{term('policy')}</b> {esc(line)}</li>" for line in _dealing(record.dealing)]
    if not lines:
        return ""
    return f'<details class="cp-gates"><summary>Why this item</summary><ul>{"".join(lines)}</ul></details>'


def _dealing(dealing: Dealing | None) -> list[str]:
    if dealing is None:
        return []
    bought = [] if dealing.bought is None else [f"of the picture it buys {', '.join(dealing.bought) or 'nothing'}"]
    return bought + [SAMPLES[name] for name in dealing.samples]


def _titles() -> str:
    names = ("attribute", "value", term("confidence"), "other values")
    return f'<div class="cp-row cp-titles">{"".join(f"<span>{name}</span>" for name in names)}</div>'


def _row(label: str, decided: AttributeValue) -> str:
    confidence = bar(decided.confidence) if decided.confidence else ""
    others = [pair for pair in decided.alternatives if pair[0] not in decided.values]
    detail = (
        f' <small title="detail: what the value leaves out">{esc(decided.detail)}</small>' if decided.detail else ""
    )
    cells = (f"<b>{esc(label)}</b>", value_html(decided) + detail, confidence, alternatives_html(others))
    summary = "".join(f"<span>{cell}</span>" for cell in cells)
    why = f"{_choice(decided.choice)}<ul>{''.join(f'<li>{claim_html(claim)}</li>' for claim in decided.evidence)}</ul>"
    return f'<details class="cp-item"><summary class="cp-row">{summary}</summary>{why}</details>'


def value_html(decided: AttributeValue) -> str:
    """The values, or the state in their stead."""
    if decided.state == "known":
        return " ".join(f'<span class="cp-value">{esc(value)}</span>' for value in decided.values)
    return chip(decided.state, decided.state)


def alternatives_html(pairs: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"<span>{esc(value)} <small>{probability:.2f}</small></span>" for value, probability in pairs)


def _choice(choice: Choice | None) -> str:
    if choice is None:
        return ""
    drawn = f" (drawn: {choice.drawn}, chance {choice.propensity:.3f})" if choice.drawn else ""
    return f"<p>{term('policy')} chose <b>{esc(choice.action)}</b>{esc(drawn)}</p>"


def claim_html(claim: Evidence) -> str:
    """One claim: the exact words, what it says, how surely, and who says it."""
    return (
        f"<q>{esc(claim.origin)}</q> → <b>{esc(claim.said)}</b> "
        f'<span title="{esc(explain("score"))}">{claim.score:.2f}</span> <small>{esc(claim.source)}</small>'
    )


def flat_html(record: CharacterAttributes) -> str:
    """The flat record as JSON, and links to download it, and the whole one."""
    flat = record.to_dict()
    text = json.dumps(flat, ensure_ascii=False, indent=2)
    links = (
        f"{_download('record.json', flat)} {_download('record-detail.json', record.to_detail(), 'with its evidence')}"
    )
    return f'<div class="cp-flat"><pre tabindex="0">{esc(text)}</pre><p>{links}</p></div>'


def _download(name: str, content: Mapping[str, Any], shown: str = "JSON") -> str:
    """A link that holds what it downloads: nothing is written on the server."""
    raw = json.dumps(content, ensure_ascii=False, indent=2).encode()
    address = f"data:application/json;base64,{base64.b64encode(raw).decode()}"
    return f'<a class="cp-button" download="{name}" href="{address}">Download {shown}</a>'


def comparison_html(records: Mapping[str, CharacterAttributes]) -> str:
    """What several strategies say of one item, side by side; rows where they differ stand out."""
    labels = [label for label in next(iter(records.values())).attributes if _said(records, label)]
    head = "".join(f'<th scope="col">{esc(name)}</th>' for name in records)
    rows = "".join(_compared(label, [record.attributes[label] for record in records.values()]) for label in labels)
    return (
        '<div class="cp-scroll"><table class="cp-table cp-compare">'
        f'<thead><tr><th scope="col">attribute</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _said(records: Mapping[str, CharacterAttributes], label: str) -> bool:
    return any(record.attributes[label].state != "unknown" for record in records.values())


def _compared(label: str, decided: list[AttributeValue]) -> str:
    differ = len({(one.state, one.values) for one in decided}) > 1
    sure = explain("confidence")
    cells = "".join(
        f'<td>{value_html(one)} <small title="{sure}">{f"{one.confidence:.2f}" if one.confidence else ""}</small></td>'
        for one in decided
    )
    return f'<tr{" class=cp-differ" if differ else ""}><th scope="row">{esc(label)}</th>{cells}</tr>'
