"""`charpipe train probes`: from a database to a file of the heads that are better than prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from character_pipeline.config import PipelineConfig
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.evaluation.metrics import Flags, Floats, Ints
from character_pipeline.extractors.clip_analyzer import ClipAnalyzer, ClipReader
from character_pipeline.extractors.probe_analyzer import ProbeAnalyzer
from character_pipeline.extractors.probes import About, Head, Probes, features, save_probes
from character_pipeline.models.machine import one_blas_thread
from character_pipeline.pipeline import build_stages
from character_pipeline.processing import Stages
from character_pipeline.training.probes.heads import Examples, check_extra, fit_head
from character_pipeline.training.probes.judging import Claimant, Verdict, judge, scores_of
from character_pipeline.training.probes.tagged import UNLABELLED, Tagged, read_tagged, with_vectors
from character_pipeline.vocabulary import Attribute

Say = Callable[[str], None]
HELD_OUT = 0.3
"""The share of the characters whose tags are hidden, to judge on."""


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

    Raises ConfigError where nothing can be learnt, MissingExtraError without scikit-learn.
    """
    check_extra()
    course = make_course(config)
    tagged = with_vectors(read_tagged(store, truth), store, course.stages)
    held = held_out(tagged.groups)
    say(f"{len(tagged):,} tagged pictures, of which {int(held.sum()):,} are held out to judge on")
    with one_blas_thread():
        verdicts = compare(course, fit(course, tagged.take(~held), say), tagged.take(held))
        kept = {one.attribute: one for one in verdicts if one.kept}
        heads = fit(course, tagged, say, set(kept))
    scored = [_with_scores(head, kept[head.about.attribute]) for head in heads]
    save_probes(bundle(course, scored, {"items": len(tagged), "held_out": int(held.sum())}), output)
    return verdicts


def held_out(groups: Ints) -> Flags:
    """The items to judge on: those of some groups."""
    drawn = np.random.default_rng(0).random(int(groups.max(initial=0)) + 1) < HELD_OUT
    found: Flags = drawn[groups]
    return found


def fit(course: Course, tagged: Tagged, say: Say, only: set[str] | None = None) -> list[Head]:
    """A head for each attribute that can be learnt."""
    shown = features(tagged.vectors(course.reader.key), len(course.reader.views))
    heads = []
    for attribute in course.attributes:
        if only is None or attribute.key in only:
            say(f"learning {attribute.label} from {len(tagged):,} pictures")
            labels, prompts = tagged.labels[attribute.key], course.directions(attribute.key)
            heads.append(fit_head(attribute, Examples(shown, labels, tagged.groups, prompts)))
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


def compare(course: Course, heads: Sequence[Head], tagged: Tagged) -> list[Verdict]:
    """Heads against prompts; of lists, on the values that a head has."""
    probes = ProbeAnalyzer(bundle(course, heads, {}), course.reader, threshold=0.0)
    claimants: dict[str, Claimant] = {"prompts": course.prompts, "probes": probes}
    found = {name: scores_of(one, tagged.items, course.attributes) for name, one in claimants.items()}
    verdicts = []
    for head in heads:
        attribute = course.stages.vocabulary.attributes[head.about.attribute]
        scores: dict[str, Floats] = {name: one[attribute.key] for name, one in found.items()}
        verdicts.append(judge(attribute, _of_head(head, attribute, tagged), scores, tagged.groups))
    return [one for one in verdicts if one is not None]


def _of_head(head: Head, attribute: Attribute, tagged: Tagged) -> Ints:
    labels = tagged.labels[attribute.key]
    if not attribute.many:
        return labels
    told = [value in head.about.values for value in attribute.values]
    found: Ints = np.where(told, labels, UNLABELLED)
    return found


def _with_scores(head: Head, verdict: Verdict) -> Head:
    scores = {key: value for key, value in verdict.to_json().items() if key not in {"attribute", "label"}}
    return replace(head, about=head.about.model_copy(update={"scores": scores}))
