"""`charpipe train`: make models."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from character_pipeline.cli.common import ConfigOption, DbArgument, open_store

if TYPE_CHECKING:
    from character_pipeline.evaluation.gold import Gold

TruthOption = Annotated[
    Path | None, typer.Option(help="A truth.jsonl of items in the database; without it, the feedback in there.")
]
CharactersOption = Annotated[
    Path | None,
    typer.Option(help="A truth.jsonl that says which items show the same character; only that is read."),
]

app = typer.Typer(no_args_is_help=True, help="Train models.")


@app.command("embedded")
def embedded(  # noqa: PLR0913, PLR0917 - options of a command
    avatars: Annotated[
        list[Path] | None,
        typer.Option(help="An archive of labelled pictures, NAME.png with NAME.json; each is a style. Repeatable."),
    ] = None,
    drawn: Annotated[int, typer.Option(min=0, help="How many pictures to draw.")] = 12_000,
    passes: Annotated[int, typer.Option(min=1, help="Passes over all pictures.")] = 10,
    rate: Annotated[
        float, typer.Option(min=1e-6, max=0.1, help="The highest learning rate; less is better with --begin: 0.0015.")
    ] = 0.003,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    begin: Annotated[
        Path | None,
        typer.Option(
            help="Begin with the weights of another training: its --work folder, or the folder of the model that it "
            "wrote; 'embedded': the model of the package. Without it, from scratch."
        ),
    ] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="A style to test on only. Repeatable.")] = None,
    work: Annotated[Path, typer.Option(help="Keeps the state after each pass; a stopped training goes on.")] = Path(
        "charpipe-training"
    ),
    output: Annotated[
        Path | None, typer.Option(help="Where to write the model; without it, it is only tested.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 1,
) -> None:
    """Train the small model that ships with the package, and report how right it is on styles seen and unseen."""
    from character_pipeline.cli.training_report import print_scores
    from character_pipeline.training.embedded import Settings
    from character_pipeline.training.recipe import Recipe, train_embedded
    from character_pipeline.vocabulary import load_vocabulary

    recipe = Recipe(
        archives=tuple(avatars or ()),
        drawn=drawn,
        work=work,
        begin=begin,
        leave_out=tuple(leave_out or ()),
        settings=Settings(passes=passes, rate=rate, seed=seed),
        workers=workers,
    )
    report = train_embedded(recipe, load_vocabulary(), output, partial(typer.echo, err=True))
    print_scores(report["scores"])


@app.command("head-finder")
def head_finder(
    output: Annotated[Path, typer.Option(help="The ONNX file to write.")],
    drawn: Annotated[int, typer.Option(min=500, help="How many pictures to draw.")] = 16_000,
    passes: Annotated[int, typer.Option(min=1, help="Passes over all pictures.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same finder.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 1,
) -> None:
    """Train the small network that finds the head in a picture, and report how near it comes in styles seen and not."""
    from character_pipeline.training.heads import make_head_finder, print_nearness

    typer.echo(print_nearness(make_head_finder(drawn, passes, seed, workers, output, partial(typer.echo, err=True))))


@app.command("calibration")
def calibration(
    db: DbArgument,
    output: Annotated[Path, typer.Option(help="The .json file to write.")],
    truth: TruthOption = None,
    masked: Annotated[
        bool, typer.Option("--masked", help="Without labels, for 'bayesian': ask pictures what texts state.")
    ] = False,
) -> None:
    """Learn from labelled items how far each source is to be trusted, for the strategies 'ensemble' and 'bayesian'.

    It is used with attribute_fusion.weights, and holds thresholds for attribute_fusion.target_precision.
    """
    from character_pipeline.cli.calibration_table import print_learned
    from character_pipeline.errors import ConfigError
    from character_pipeline.evaluation.gold import read_gold, read_unlabelled
    from character_pipeline.training.fusion.masked import learn_masked
    from character_pipeline.training.fusion.recipe import learn_weights

    if not output.parent.is_dir():
        raise ConfigError(f"there is no folder {output.parent} to write the weights to: make it first")
    if masked and truth is not None:
        raise ConfigError("--masked learns without labels: leave out --truth, or --masked")
    with open_store(db) as store:
        gold = read_unlabelled(store) if masked else read_gold(store, truth)
    if masked:
        learn_masked(gold, typer.echo).save(output)
        return
    learned = learn_weights(gold, partial(typer.echo, err=True))
    learned.weights.save(output)
    print_learned(learned, gold.vocabulary)


@app.command("probes")
def probes(
    db: DbArgument,
    output: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    truth: CharactersOption = None,
    config: ConfigOption = None,
) -> None:
    """Learn from the tags of your own data set what its pictures show, as light heads on the model's vectors.

    What is better than prompts on items whose tags were hidden is written; it is used with clip_analyzer.probes.
    """
    from character_pipeline.cli.probes_table import print_verdicts
    from character_pipeline.config import load_config
    from character_pipeline.evaluation.sources import last_config
    from character_pipeline.training.probes.making import train_probes

    with open_store(db) as store:
        settings = load_config(config) if config is not None else last_config(store)
        print_verdicts(train_probes(store, settings, output, truth, partial(typer.echo, err=True)))


@app.command("lora")
def lora(  # noqa: PLR0913, PLR0917 - options of a command
    db: DbArgument,
    output: Annotated[Path, typer.Option(help="The folder to write, with the whole model.")],
    data: Annotated[
        Path | None, typer.Option(help="Where the pictures are now; by default where the run found them.")
    ] = None,
    truth: CharactersOption = None,
    config: ConfigOption = None,
    passes: Annotated[int, typer.Option(min=1, help="Passes over the pictures.")] = 4,
    rank: Annotated[int, typer.Option(min=1, max=256, help="Of the changes to each matrix.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed learns in the same order.")] = 0,
) -> None:
    """Fine-tune the vision tower of a CLIP model on the tags of your own data set; slow without a GPU.

    The folder is used as clip_analyzer.model_name, and can be exported with charpipe export-onnx.
    """
    from character_pipeline.config import load_config
    from character_pipeline.evaluation.sources import last_config
    from character_pipeline.training.lora.tuning import Settings, train_lora

    settings, say = Settings(passes=passes, rank=rank, seed=seed), partial(typer.echo, err=True)
    with open_store(db) as store:
        chosen = load_config(config) if config is not None else last_config(store)
        gains = train_lora(store, chosen, output, settings, data, truth, say)
    for attribute, (before, after) in gains.items():
        typer.echo(f"{attribute}: {before:.1%} right before, {after:.1%} after")


@app.command("policy")
def policy(  # noqa: PLR0913, PLR0917 - options of a command
    db: DbArgument,
    output: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    truth: TruthOption = None,
    config: ConfigOption = None,
    mode: Annotated[str, typer.Option(help="six: an action buys what it needs; acquire: buying is an action.")] = "six",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of a training; 5000, or 1000 with --from.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings; the best one is taken.")] = 1,
    price: Annotated[float, typer.Option(min=0.0, help="What a millisecond costs; a right value is worth 1.")] = 0.0,
    reward: Annotated[
        str,
        typer.Option(help="truth; heuristic: completeness and confidence, a cold start; the truth still judges it."),
    ] = "truth",
    judged: Annotated[
        tuple[str, Path] | None,
        typer.Option(help="A database and the truth of items to judge on, of other characters; else some are kept."),
    ] = None,
    masked: Annotated[
        bool, typer.Option("--masked", help="Without labels: the truth is drawn from what all sources make probable.")
    ] = False,
    before: Annotated[
        Path | None,
        typer.Option("--from", help="A policy to go on from with the feedback that came since; --truth is old truth."),
    ] = None,
) -> None:
    """Train the policy that chooses a strategy for each attribute of an item, and judge it on other characters.

    It is used with fusion_strategy = "learned"; where it was not better than what there was before, that is used.
    """
    from character_pipeline.attribute_fusion.fusion import read_weights
    from character_pipeline.config import load_config
    from character_pipeline.database.feedback import all_feedback
    from character_pipeline.errors import ConfigError
    from character_pipeline.evaluation.gold import read_gold, read_lessons
    from character_pipeline.rl_optimizer.policy import load_policy
    from character_pipeline.training.continuing import continue_policy, since
    from character_pipeline.training.fusion.masked_truth import MARGIN, read_masked
    from character_pipeline.training.policy import SETTINGS, STEPS, Plan, check_mode, check_reward, train_policy

    if masked and (truth is not None or before is not None):
        raise ConfigError("--masked learns without labels, anew: leave out --truth and --from, or --masked")
    settings = load_config(config)
    learner = settings.rl_optimizer
    plan = Plan(
        mode=check_mode(mode),
        settings=replace(
            SETTINGS, learning_rate=learner.learning_rate, epsilon=learner.epsilon, batch_size=learner.batch_size
        ),
        steps=steps or (STEPS if before is None else STEPS // 5),
        seeds=range(seeds),
        price=price,
        reward=check_reward(reward),
        drawn=masked,
        margin=MARGIN if masked and judged is None else 0.0,
    )
    say, base = partial(typer.echo, err=True), None if before is None else load_policy(before)
    with open_store(db) as store:
        weights = read_weights(store.vocabulary, settings.attribute_fusion)
        told = truth is None and not masked
        newest = max((one.given for one in all_feedback(store)), default=0.0) if told or base else 0.0
        plan = replace(plan, feedback_until=newest)
        lessons = read_lessons(store, truth, since(base) if base else 0.0) if base else None
        gold = read_masked(store, say) if masked else read_gold(store, truth) if lessons is None else lessons.gold
    if base is not None and lessons is not None:
        report = continue_policy(base, lessons, weights, plan, output, say, _read_judged(judged))
    else:
        report = train_policy(gold, weights, plan, output, say, _read_judged(judged))
    typer.echo(json.dumps({name: report[name] for name in ("reward", "gate", "budgets", "utility")}, indent=1))


def _read_judged(judged: tuple[str, Path] | None) -> Gold | None:
    from character_pipeline.evaluation.gold import read_gold

    if judged is None:
        return None
    with open_store(judged[0]) as store:
        return read_gold(store, judged[1])
