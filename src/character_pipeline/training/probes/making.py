"""`charpipe train probes`: from a database to a file of the heads that are better than prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.config import PipelineConfig
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.metrics import Floats, Ints
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, ClipReader
from character_pipeline.extractors.probe_analyzer import ProbeAnalyzer
from character_pipeline.extractors.probes import About, Head, Probes, features, save_probes
from character_pipeline.pipeline import build_stages
from character_pipeline.processing import Stages
from character_pipeline.training.probes.heads import Examples, check_extra, fit_head
from character_pipeline.training.probes.judging import Claimant, Verdict, judge, scores_of
from character_pipeline.training.probes.tagged import UNLABELLED, Tagged, read_tagged, with_vectors
from character_pipeline.vocabulary import Attribute

Say = Callable[[str], None]
PARTS = 4
"""The tags of the characters of each part are hidden once, to judge on."""


@dataclass(frozen=True)
class Course:
    """What probes are trained with.

    Attributes:
        prompts: what they are compared with.
    """

    stages: Stages
    prompts: ClipAnalyzer

    @property
    def reader(self) -> ClipReader:
        return self.prompts.reader

    @property
    def attributes(self) -> list[Attribute]:
        return list(self.stages.vocabulary.attributes.values())

    def directions(self, attribute: str) -> Floats:
        """What the prompts of an attribute compare vectors with, (P, size); none where the model is not asked."""
        table = self.prompts.table
        parts = [table.answers[asked.rows] for asked in table.asked if asked.attribute == attribute]
        return np.concatenate([np.empty((0, self.reader.size)), *parts])


def make_course(config: PipelineConfig) -> Course:
    """Raises ConfigError where the settings ask no model."""
    settings = config.clip_analyzer.model_copy(update={"probes": None, "confidence_threshold": 0.0})
    stages = build_stages(config.model_copy(update={"clip_analyzer": settings}))
    for stage in stages.reading_stages:
        if isinstance(stage, ClipAnalyzer):
            return Course(stages, stage)
    raise ConfigError("the settings have clip_analyzer.enabled = false: probes work on what its model sees")


def train_probes(
    store: Store, config: PipelineConfig, output: Path, truth: Path | None = None, say: Say = lambda line: None
) -> list[Verdict]:
    """Train, compare with the prompts on characters whose tags were hidden, and write what is better.

    Args:
        config: the settings of the run that read the pictures.
        truth: a truth file that says which items show the same character.

    Raises ConfigError where nothing can be learnt, MissingExtraError without scipy.
    """
    check_extra()
    from threadpoolctl import threadpool_limits

    course = make_course(config)
    tagged = with_vectors(read_tagged(store, truth), store, course.stages)
    say(f"{len(tagged):,} tagged pictures, on all of which is judged by what was learnt from others")
    with threadpool_limits(1):  # the fits are many and small: threads would wait for each other
        verdicts = cross_judge(course, tagged, say)
        kept = {one.attribute: one for one in verdicts if one.kept}
        heads = fit(course, tagged, set(kept))
    scored = [_with_scores(head, kept[head.about.attribute]) for head in heads]
    save_probes(bundle(course, scored, {"items": len(tagged)}), output)
    return verdicts


def cross_judge(course: Course, tagged: Tagged, say: Say) -> list[Verdict]:
    """Prompts against heads, each of which did not learn from the characters that it is judged on."""
    parts = part_of(tagged.groups)
    scores = [scores_of(course.prompts, tagged.items, course.attributes) for _ in ("prompts", "probes")]
    claimed: set[tuple[str, str]] = set()
    for part in range(PARTS):
        say(f"part {part + 1} of {PARTS}")
        rows = parts == part
        probes = as_analyzer(course, fit(course, tagged.take(~rows)))
        claimed |= probes.claimed
        found = scores_of(probes, tagged.take(rows).items, course.attributes)
        for key, values in scores[1].items():
            values[rows] = found[key]
    return _verdicts(course, claimed, dict(zip(("prompts", "probes"), scores, strict=True)), tagged)


def part_of(groups: Ints) -> Ints:
    """The part of each item; the items of a group are in one."""
    drawn = np.random.default_rng(0).permutation(int(groups.max(initial=0)) + 1) % PARTS
    found: Ints = drawn[groups].astype(np.int64)
    return found


def fit(course: Course, tagged: Tagged, only: set[str] | None = None) -> list[Head]:
    """A head for each attribute that can be learnt."""
    shown = features(tagged.vectors(course.reader.key), len(course.reader.views))
    heads = [
        fit_head(
            attribute,
            Examples(shown, tagged.labels[attribute.key], tagged.groups, course.directions(attribute.key)),
        )
        for attribute in course.attributes
        if only is None or attribute.key in only
    ]
    return [head for head in heads if head is not None]


def bundle(course: Course, heads: Sequence[Head], provenance: dict[str, Any]) -> Probes:
    """The heads with what they were trained on."""
    reader = course.reader
    about = About(
        model=reader.key,
        name=reader.plan.checkpoint.name,
        size=reader.size,
        views=len(reader.views),
        provenance={"vocabulary": course.stages.vocabulary.digest, **provenance},
    )
    return Probes(about, tuple(heads))


def as_analyzer(course: Course, heads: Sequence[Head]) -> ProbeAnalyzer:
    """Heads as they are asked in a run, with a threshold of 0."""
    return ProbeAnalyzer(bundle(course, heads, {}), course.reader, threshold=0.0)


def compare(course: Course, heads: Sequence[Head], tagged: Tagged) -> list[Verdict]:
    """Heads against prompts, on pictures that nobody learnt from, and whose labels are their whole truth."""
    probes = as_analyzer(course, heads)
    claimants: dict[str, Claimant] = {"prompts": course.prompts, "probes": probes}
    found = {name: scores_of(one, tagged.items, course.attributes) for name, one in claimants.items()}
    return _verdicts(course, probes.claimed, found, tagged, complete=True)


def _verdicts(
    course: Course,
    claimed: Set[tuple[str, str]],
    scores: Mapping[str, Mapping[str, Floats]],
    tagged: Tagged,
    complete: bool = False,
) -> list[Verdict]:
    """Of lists, on the values that heads have."""
    verdicts = []
    for attribute in course.attributes:
        told = [(attribute.key, value) in claimed for value in attribute.values]
        if any(told):
            labels = tagged.labels[attribute.key]
            judged = np.where(told, labels, UNLABELLED) if attribute.many else labels
            of_it = {name: found[attribute.key] for name, found in scores.items()}
            verdicts.append(judge(attribute, judged, of_it, tagged.groups, complete))
    return [one for one in verdicts if one is not None]


def _with_scores(head: Head, verdict: Verdict) -> Head:
    scores = {key: value for key, value in verdict.to_json().items() if key not in {"attribute", "label"}}
    return replace(head, about=head.about.model_copy(update={"scores": scores}))
