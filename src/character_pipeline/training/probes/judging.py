"""Probes against prompts, on pictures whose tags were hidden from both.

Hidden tags alone flatter probes: people tag what stands out, dark skin and not light, so a probe may be right wherever
there is a tag and wrong wherever there is none. Of pictures without a tag nobody knows the truth, but prompts look at
them too: where probes disagree with prompts more often than they do on tagged pictures, that is counted as lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from character_pipeline.data import Evidence, Item
from character_pipeline.evaluation.metrics import (
    NOTHING,
    Flags,
    Floats,
    Interval,
    Ints,
    accuracy,
    balanced_accuracy,
    bootstrap,
    calibration_error,
    coverage,
)
from character_pipeline.training.probes.tagged import UNLABELLED
from character_pipeline.vocabulary import Attribute

LIKELY = 0.5
"""From here on a claim is taken for more likely right than wrong."""


class Claimant(Protocol):
    """What looks at pictures, with a threshold of 0."""

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """How good one of the two is.

    Attributes:
        accuracy: the share of pictures of which the value with the best score is the true one; of lists, of values
            that are rightly claimed, or not claimed, with a score of LIKELY.
        balanced: the same, all values weighing alike.
        coverage: the share of pictures with a claim of LIKELY or more.
        calibration: the expected calibration error of the scores.
    """

    accuracy: float
    balanced: float
    coverage: float
    calibration: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison for one attribute.

    Attributes:
        gain: how much more accurate probes are on what is tagged (of lists: balanced).
        net: the gain over all pictures, less what more disagreement on untagged ones may cost.
        interval: 95 %, of `net`, paired, by character.
    """

    attribute: str
    label: str
    items: int
    prompts: Marks
    probes: Marks
    gain: float
    net: float
    interval: Interval

    @property
    def kept(self) -> bool:
        return self.interval[0] > 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def scores_of(claimant: Claimant, items: Sequence[Item], attributes: Iterable[Attribute]) -> dict[str, Floats]:
    """The score of each value of each attribute, (N, V); 0 where it is not claimed."""
    known = {attribute.key: attribute for attribute in attributes}
    found = {key: np.zeros((len(items), len(attribute.values))) for key, attribute in known.items()}
    for row, evidence in enumerate(claimant.process(items)):
        for claim in evidence:
            if claim.attribute in known and claim.value in known[claim.attribute].order:
                found[claim.attribute][row, known[claim.attribute].order[claim.value]] = claim.score
    return found


def judge(attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints) -> Verdict | None:
    """Compare the scores of "prompts" and "probes"; None where no picture has a label.

    Args:
        labels: see `Tagged`; of a list, those of values that are not to be judged are UNLABELLED in all items.
    """
    return (_judge_each if attribute.many else _judge_one)(attribute, labels, scores, groups)


def _judge_one(attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints) -> Verdict | None:
    tagged = (labels != UNLABELLED) & (labels < len(attribute.values))
    if not tagged.any():
        return None
    said = {name: _best(found) for name, found in scores.items()}
    marks = [
        _mark_one(labels[tagged], said[name][tagged], scores[name][tagged].max(axis=1), len(attribute.values))
        for name in ("prompts", "probes")
    ]
    right = [(said[name] == labels).astype(np.float64) for name in ("prompts", "probes")]
    # Where prompts are silent they vouch for nothing that probes say; on tagged pictures the tag does.
    differ = (said["prompts"] != said["probes"]) & (said["probes"] != NOTHING)
    differ &= ~tagged | (said["prompts"] != NOTHING)
    untagged = labels == UNLABELLED
    table = np.stack([(right[1] - right[0]) * tagged, tagged, differ & tagged, differ & untagged, untagged], axis=1)
    gain, net, interval = _net(table, groups, _gain_of_one)
    return Verdict(attribute.key, attribute.label, int(tagged.sum()), marks[0], marks[1], gain, net, interval)


Statistic = Callable[[Floats], Floats]


def _net(table: NDArray[Any], groups: Ints, gain: Statistic) -> tuple[float, float, Interval]:
    """Gain, net gain and its interval, from a row an item.

    The last four columns are: tagged, disagreement there, disagreement where it is not tagged, not tagged.
    """

    def net(sums: Floats) -> Floats:
        tagged, here, there, untagged = sums[:, -4:].T
        rise = there / np.maximum(untagged, 1) - here / np.maximum(tagged, 1)
        share = tagged / (tagged + untagged)
        found: Floats = share * gain(sums) - (1 - share) * np.maximum(rise, 0.0)
        return found

    whole = table.sum(axis=0, dtype=np.float64)[None]
    return float(gain(whole)[0]), float(net(whole)[0]), bootstrap(table, groups, net)


def _gain_of_one(sums: Floats) -> Floats:
    found: Floats = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    return found


def _best(scores: Floats) -> Ints:
    """The value with the best score; NOTHING where none is claimed."""
    found: Ints = np.where(scores.max(axis=1) > 0, scores.argmax(axis=1), NOTHING)
    return found


def _mark_one(true: Ints, said: Ints, confidence: Floats, values: int) -> Marks:
    given = said != NOTHING
    calibration = calibration_error(confidence[given], (said == true)[given])
    likely = np.where(confidence >= LIKELY, said, NOTHING)
    return Marks(accuracy(true, said), balanced_accuracy(true, said, values), coverage(likely), calibration)


def _judge_each(attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints) -> Verdict | None:
    known = labels != UNLABELLED
    judged = ((labels == 1) & known).any(axis=0) & ((labels == 0) & known).any(axis=0)
    if not judged.any():
        return None
    true, told = labels[:, judged], known[:, judged]
    found = [scores[name][:, judged] for name in ("prompts", "probes")]
    tagged = told.any(axis=1)
    differ = ((found[0] >= LIKELY) != (found[1] >= LIKELY)).mean(axis=1)
    counts = [_counts(true, told, one >= LIKELY) for one in found]
    rest = np.stack([tagged, differ * tagged, differ * ~tagged, ~tagged], axis=1)
    gain, net, interval = _net(np.concatenate([*counts, rest], axis=1), groups, _gap_of_sums)
    marks = [_mark_each(true[tagged], told[tagged], one[tagged]) for one in found]
    return Verdict(attribute.key, attribute.label, int(tagged.sum()), marks[0], marks[1], gain, net, interval)


def _counts(true: Ints, told: Flags, said: Flags) -> Floats:
    """For each item and value: rightly claimed, true, rightly not claimed, not true; shape (N, 4 V)."""
    there, absent = told & (true == 1), told & (true == 0)
    return np.concatenate([there & said, there, absent & ~said, absent], axis=1).astype(np.float64)


def _balanced_of_sums(sums: Floats) -> Floats:
    """The mean balanced accuracy over values; one of which a resample has none, or nothing else, is left out."""
    hits, there, passes, absent = np.split(sums, 4, axis=1)
    whole = (there > 0) & (absent > 0)
    each = np.where(whole, (hits / np.maximum(there, 1) + passes / np.maximum(absent, 1)) / 2, 0.0)
    found: Floats = each.sum(axis=1) / np.where(whole.any(axis=1), whole.sum(axis=1), np.nan)
    return found


def _gap_of_sums(sums: Floats) -> Floats:
    prompts, probes = np.split(sums[:, :-4], 2, axis=1)
    return _balanced_of_sums(probes) - _balanced_of_sums(prompts)


def _mark_each(true: Ints, told: Flags, scores: Floats) -> Marks:
    said = scores >= LIKELY
    table = _counts(true, told, said)
    return Marks(
        accuracy=float((said == true)[told].mean()),
        balanced=float(_balanced_of_sums(table.sum(axis=0)[None])[0]),
        coverage=float((said & told).any(axis=1).mean()),
        calibration=calibration_error(scores[told], true[told] == 1),
    )
