"""`charpipe evaluate`: a database against the truth."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from character_pipeline.cli.common import ConfigOption, DbArgument, JsonOption, open_store, write_json
from character_pipeline.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from character_pipeline.database.store import Store
    from character_pipeline.evaluation.scores import Scores


def evaluate(  # noqa: PLR0913, PLR0917
    db: DbArgument,
    truth: Annotated[Path, typer.Option(help="A truth.jsonl, as charpipe sample writes it.")],
    faults: Annotated[int, typer.Option(min=0, help="Show so many of the faults.")] = 10,
    by_source: Annotated[bool, typer.Option(help="Score text alone, pictures alone and both together.")] = False,
    by: Annotated[str | None, typer.Option(help="Accuracy apart: 'style'.")] = None,
    strategies: Annotated[
        bool, typer.Option(help="Compare the fusion strategies, the policy and simple baselines on half of the items.")
    ] = False,
    config: ConfigOption = None,
    report: Annotated[Path | None, typer.Option(help="With --strategies: an HTML page with plots.")] = None,
    styles: Annotated[str, typer.Option(help="Only these styles of the truth, with commas between.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Compare the records with the truth, attribute by attribute: what is stated and found, missed, or wrong."""
    from character_pipeline.cli import evaluate_tables as tables
    from character_pipeline.evaluation.truth import compare

    if by not in {None, "style"}:
        raise ConfigError(unknown_name("way to tell apart", str(by), ("style",)))
    wanted = [style.strip() for style in styles.split(",") if style.strip()]
    with open_store(db) as store:
        if strategies:
            _meet(store, truth, config, report, as_json)
        elif as_json:
            tallies = compare(store, truth, wanted)
            scores = {name: _plain(found) for name, found in score_by(store, truth, wanted, by).items()}
            write_json({**asdict(tallies), "total": asdict(tallies.total), "scores": scores})
        elif by:
            tables.print_styles(score_by(store, truth, wanted, by))
        elif by_source:
            tables.print_sources(score_by(store, truth, wanted)["all"])
        else:
            tables.print_report(compare(store, truth, wanted), faults)


def write_text(path: Path, text: str) -> None:
    """Raises ConfigError where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"the report cannot be written to {path}: {error.strerror}") from error


def _meet(store: Store, truth: Path, config: Path | None, report: Path | None, as_json: bool) -> None:
    from character_pipeline.attribute_fusion.fusion import read_weights
    from character_pipeline.cli.contest_table import print_places
    from character_pipeline.config import load_config
    from character_pipeline.evaluation.contest.page import make_page
    from character_pipeline.evaluation.contest.standings import meet
    from character_pipeline.evaluation.gold import read_gold
    from character_pipeline.processing.deciding import read_policies

    settings = load_config(config)
    weights = read_weights(store.vocabulary, settings.attribute_fusion)
    meeting = meet(read_gold(store, truth), weights, read_policies(settings, store.address))
    if report is not None:
        write_text(report, make_page(*meeting))
    if as_json:
        write_json(without_nan([asdict(place) for place in meeting.places]))
    else:
        print_places(meeting.places)


def score_by(store: Store, truth: Path, styles: Sequence[str], by: str | None = None) -> dict[str, Scores]:
    """The scores over all items, and those of the items with each value of the key `by` of the truth."""
    from character_pipeline.evaluation.scores import score
    from character_pipeline.evaluation.sources import read_answers

    answers = list(read_answers(store, truth, styles))
    parts = {"all": answers}
    if by:
        key = by
        for answer in sorted(answers, key=lambda answer: str(answer.truth.get(key, ""))):
            parts.setdefault(str(answer.truth.get(key, "")), []).append(answer)
    return {name: score(part, store.vocabulary) for name, part in parts.items()}


def _plain(scores: Scores) -> Any:
    """As JSON, which knows no NaN."""
    return without_nan(asdict(scores))


def without_nan(data: Any) -> Any:
    """For JSON, which knows no NaN."""
    if isinstance(data, dict):
        return {key: without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_nan(value) for value in data]
    return None if isinstance(data, float) and math.isnan(data) else data
