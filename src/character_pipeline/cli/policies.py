"""`charpipe policies`: the versions of a learned policy in a database, and what a new one would be worth."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import ConfigOption, DbArgument, JsonOption, console, open_store, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from character_pipeline.database.policies import Version
    from character_pipeline.evaluation.logged import Valued

app = typer.Typer(no_args_is_help=True, help="Adopt policies, go back to the one before, estimate what one is worth.")
PolicyArgument = Annotated[Path, typer.Argument(help="A .safetensors file that charpipe train policy wrote.")]


@app.command("list")
def list_versions(db: DbArgument, as_json: JsonOption = False) -> None:
    """List the policies that were adopted in a database."""
    from character_pipeline.database.policies import versions

    with open_store(db) as store:
        found = list(versions(store))
    if as_json:
        write_json([asdict(one) for one in found])
    else:
        _print_versions(found)


@app.command("adopt")
def adopt_policy(db: DbArgument, policy: PolicyArgument, config: ConfigOption = None) -> None:
    """Keep a policy in the database; from the next run on it decides, unless rl_optimizer.policy names another.

    It must go with the fusion weights of the settings, by default those of the last run.
    """
    from character_pipeline.attribute_fusion.fusion import read_weights
    from character_pipeline.config import load_config
    from character_pipeline.database.policies import adopt
    from character_pipeline.evaluation.sources import last_config
    from character_pipeline.rl_optimizer.learned import make_learned
    from character_pipeline.rl_optimizer.policy import load_policy

    with open_store(db, writable=True) as store:
        settings = load_config(config) if config is not None else last_config(store)
        weights = read_weights(store.vocabulary, settings.attribute_fusion)
        make_learned(load_policy(policy), weights, tuple(store.vocabulary.attributes))
        typer.echo(f"version {adopt(store, policy).number} decides from the next run on", err=True)


@app.command("rollback")
def rollback(db: DbArgument) -> None:
    """Go back to the version before; before the first one, to the policy of the package."""
    from character_pipeline.database.policies import roll_back

    with open_store(db, writable=True) as store:
        before = roll_back(store)
    which = "the policy of the package" if before is None else f"version {before.number}"
    typer.echo(f"{which} decides from the next run on", err=True)


@app.command("estimate")
def estimate(
    db: DbArgument,
    policy: PolicyArgument,
    truth: Annotated[Path | None, typer.Option(help="A truth.jsonl; without it, the feedback in the database.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate what a policy would earn, from the actions that were logged of items that explored."""
    from character_pipeline.attribute_fusion.fusion import read_weights
    from character_pipeline.config import load_config
    from character_pipeline.evaluation.logged import FEW, compare_policies
    from character_pipeline.rl_optimizer.policy import load_policy

    with open_store(db) as store:
        weights = read_weights(store.vocabulary, load_config(config).attribute_fusion)
        found = compare_policies(store, truth, load_policy(policy), weights)
    if as_json:
        write_json({name: asdict(one) for name, one in found.items()})
    else:
        _print_values(found)
    least = min(one.effective for one in found.values())
    if least < FEW:
        typer.echo(f"worth {least:.0f} decisions: estimates from fewer than {FEW} tell little", err=True)


def _print_versions(found: Sequence[Version]) -> None:
    for one in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.adopted))
        labels = "labels unknown" if one.labels is None else f"{one.labels:,} labels"
        gate = one.gate.get("difference")
        ahead = f", {gate:+.4f} at the gate" if isinstance(gate, int | float) else ""
        typer.echo(f"{'*' if one.current else ' '} {one.number}  {when}  {one.digest[:12]}  {labels}{ahead}")
    if not any(one.current for one in found):
        typer.echo("the policy of the package decides", err=True)


def _print_values(found: Mapping[str, Valued]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("policy")
    for column in ("estimator", "value", "95 % interval", "effective", "decisions"):
        table.add_column(column, justify="left" if column == "estimator" else "right")
    for name, one in found.items():
        for kind, guess in one.estimates.items():
            low, high = guess.interval
            numbers = (f"{guess.value:.4f}", f"{low:.4f} to {high:.4f}", f"{guess.effective:.0f}", f"{guess.n}")
            table.add_row(name, kind, *numbers)
        table.add_row(name, "known outcome", f"{one.outcome:.4f}")
    screen = console()
    screen.print(table)
    screen.print(
        "value: +1 for a right value, -1 for a wrong one, 0 for none, a decision; effective: how many decisions"
    )
    screen.print("of the policy itself would tell as much")
