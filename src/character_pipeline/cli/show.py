"""`charpipe show`: one item with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import (
    JsonOption,
    confidence_text,
    console,
    open_store,
    shown,
    state_text,
    write_json,
)

if TYPE_CHECKING:
    from character_pipeline.data import AttributeValue, CharacterAttributes, Evidence
    from character_pipeline.rl_optimizer.choices import Choice


def show(
    item: Annotated[str, typer.Argument(help="A picture, a text file, or a text; with --db the id of an item.")],
    db: Annotated[str | None, typer.Option(help="Show what this database says of the item.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings: a .toml, .yaml or .json file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Describe one item and show why: every attribute with its state, confidence and evidence."""
    record = _from_store(db, item) if db is not None else _extract(item, config)
    if as_json:
        write_json(record.to_detail())
    else:
        _print(record)


def _from_store(db: str, item: str) -> CharacterAttributes:
    from character_pipeline.config import without_password
    from character_pipeline.database.queries import get_result
    from character_pipeline.errors import ConfigError

    with open_store(db) as store:
        result, place = get_result(store, item), without_password(db)
    if result is None:
        raise ConfigError(f"no item '{item}' in {place}: list them with charpipe query {place}")
    return result.attributes


def _extract(item: str, config: Path | None) -> CharacterAttributes:
    from character_pipeline.input_loader import load_item
    from character_pipeline.pipeline import create_pipeline

    with create_pipeline(config) as pipeline:
        path = _existing_file(item)
        if path is None:
            return pipeline.extract_from_text(item)
        return pipeline.extract_item(load_item(str(path), pipeline.config.input_loader))


def _existing_file(text: str) -> Path | None:
    try:
        return Path(text) if Path(text).is_file() else None
    except (OSError, ValueError):
        return None  # a text may be longer than any file name


def _print(record: CharacterAttributes) -> None:
    from rich.table import Table

    screen = console()
    screen.print(f"status [bold]{record.status}[/], people {record.people}, confidence {record.confidence:.2f}")
    for claim in record.reasons:
        screen.print(f"[dim]{claim.attribute}: {_claim(claim)}[/]")
    for problem in record.errors:
        screen.print(f"[yellow]{problem.stage}: {problem.kind}:[/] {shown(problem.message)}")
    for line in _dealing(record):
        screen.print(f"[dim]policy: {line}[/]")
    chosen = any(decided.choice for decided in record.attributes.values())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("attribute", "value", "conf.", *["chosen"] * chosen, "detail", "evidence"):
        table.add_column(column, overflow="fold")
    for label, decided in record.attributes.items():
        confidence = confidence_text(decided.confidence) if decided.confidence else ""
        evidence = "\n".join(_claim(claim) for claim in decided.evidence)
        action = [_choice(decided.choice)] * chosen
        table.add_row(label, _value(decided), confidence, *action, shown(decided.detail or ""), evidence)
    screen.print(table)


def _dealing(record: CharacterAttributes) -> list[str]:
    dealing = record.dealing
    if dealing is None:
        return []
    bought = [] if dealing.bought is None else [f"of the picture it buys {', '.join(dealing.bought) or 'nothing'}"]
    about = {"audit": "audit sample: everything runs", "explore": "explores: drawn actions are logged"}
    return [*bought, *(f"{about[name]}; the answer is the usual one" for name in dealing.samples)]


def _choice(choice: Choice | None) -> str:
    if choice is None:
        return ""
    return f"{choice.action} (drawn: {choice.drawn}, {choice.propensity:.3f})" if choice.drawn else choice.action


def _value(decided: AttributeValue) -> str:
    text = state_text(decided.state, decided.values)
    if decided.state == "known" or not decided.alternatives:
        return text
    return f"{text} [dim]({' / '.join(shown(value) for value, _ in decided.alternatives)})[/]"


def _claim(claim: Evidence) -> str:
    return shown(f"{claim.origin} → {claim.said} {claim.score:.2f} ({claim.source})")
