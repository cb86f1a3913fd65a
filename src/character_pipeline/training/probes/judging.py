"""Probes against prompts, on pictures whose tags were hidden from both, by what each of them really says.

Hidden tags alone flatter probes: people tag what stands out, dark skin and not light, so a probe may be right wherever
there is a tag and wrong wherever there is none. Of pictures without a tag nobody knows the truth, but prompts look at
them too: where probes disagree with prompts more often than they do on tagged pictures, that is counted as lost. And a
text that names one thing need not name all: of lists, to be silent where prompts say what no tag names earns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from character_pipeline.data import Evidence, Item
from character_pipeline.evaluation.metrics import Flags, Floats, Interval, Ints, bootstrap, calibration_error
from character_pipeline.training.probes.tagged import UNLABELLED
from character_pipeline.vocabulary import Attribute

LIKELY = 0.5
"""From here on a claim is taken for more likely right than wrong: it is said."""


class Claimant(Protocol):
    """What looks at pictures, with a threshold of 0."""

    def process(self, batch: Sequence[Item]) -> list[tuple[Evidence, ...]]: ...


@dataclass(frozen=True, slots=True)
class Marks:
    """How good one of the two is, on tagged pictures.

    Attributes:
        utility: what is said is worth 1 where it is right, -1 where it is wrong; of lists, in shares of the true ones.
        accuracy: the share of pictures of which the value with the best score is the true one; of lists, of values
            that are rightly said, or not said.
        coverage: the share of pictures of which anything is said.
        calibration: the expected calibration error of the scores.
    """

    utility: float
    accuracy: float
    coverage: float
    calibration: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison for one attribute.

    Attributes:
        gain: how much more utility probes have on what is tagged.
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


def judge(
    attribute: Attribute, labels: Ints, scores: Mapping[str, Floats], groups: Ints, complete: bool = False
) -> Verdict | None:
    """Compare the scores of "prompts" and "probes"; None where no picture has a label.

    Args:
        labels: see `Tagged`; of a list, those of values that are not to be judged are UNLABELLED in all items.
        complete: whether labels name all that is true, as those of tags do not.
    """
    truth = labels if attribute.many else _spread(labels, len(attribute.values))
    judged, tagged = (truth != UNLABELLED).any(axis=0), (truth != UNLABELLED).any(axis=1)
    if not tagged.any():
        return None
    truth = truth[:, judged]
    found = [scores[name][:, judged] for name in ("prompts", "probes")]
    said = [_said(one, attribute.many) for one in found]
    worth = [_utility(truth, one) for one in said]
    differ = (said[0] != said[1]).sum(axis=1) / max(1.0, float((truth[tagged] == 1).sum(axis=1).mean()))
    # Where prompts are silent they vouch for nothing that probes say; on tagged pictures the tag does.
    here = differ * tagged * said[0].any(axis=1)
    gains = worth[1] - worth[0]
    if attribute.many and not complete:
        gains -= _spared(truth, *said)
    table = np.stack([gains * tagged, tagged, here, differ * ~tagged, ~tagged], axis=1)
    whole = table.sum(axis=0)[None]
    marks = [
        _mark(truth[tagged], one[tagged], own[tagged], attribute.many) for one, own in zip(found, worth, strict=True)
    ]
    gain, net = float(_gain(whole)[0]), float(_net(whole)[0])
    interval = bootstrap(table, groups, _net)
    return Verdict(attribute.key, attribute.label, int(tagged.sum()), marks[0], marks[1], gain, net, interval)


def _spread(labels: Ints, values: int) -> Ints:
    """1 for the value that is right and 0 for the others, as the labels of a list are."""
    found: Ints = np.where(labels[:, None] == UNLABELLED, UNLABELLED, labels[:, None] == np.arange(values))
    return found


def _said(scores: Floats, many: bool) -> Flags:
    """What is said: of a choice at most one value."""
    likely: Flags = scores >= LIKELY
    first = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    return likely if many else likely & first


def _utility(truth: Ints, said: Flags) -> Floats:
    """What is said of each picture is worth, shape (N,)."""
    right, wrong = (said & (truth == 1)).sum(axis=1), (said & (truth == 0)).sum(axis=1)
    found: Floats = (right - wrong) / np.maximum((truth == 1).sum(axis=1), 1)
    return found


def _spared(truth: Ints, prompts: Flags, probes: Flags) -> Floats:
    """What probes owe to their silence about what prompts say and no tag names, shape (N,)."""
    found: Floats = (prompts & ~probes & (truth == 0)).sum(axis=1) / np.maximum((truth == 1).sum(axis=1), 1)
    return found


def _gain(sums: Floats) -> Floats:
    """On tagged pictures, from the columns: gain there, tagged, and three that `_net` explains."""
    found: Floats = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    return found


def _net(sums: Floats) -> Floats:
    """The columns are: gain on tagged pictures, tagged, disagreement there, disagreement elsewhere, not tagged."""
    _, tagged, here, there, untagged = sums.T
    rise = there / np.maximum(untagged, 1) - here / np.maximum(tagged, 1)
    share = tagged / (tagged + untagged)
    found: Floats = share * _gain(sums) - (1 - share) * np.maximum(rise, 0.0)
    return found


def _mark(truth: Ints, scores: Floats, worth: Floats, many: bool) -> Marks:
    said = _said(scores, many)
    known = truth != UNLABELLED
    best = (np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]) & (scores > 0)
    right = (said == (truth == 1))[known] if many else (best & (truth == 1)).any(axis=1)
    claims = known if many else best
    return Marks(
        utility=float(worth.mean()),
        accuracy=float(right.mean()),
        coverage=float(said.any(axis=1).mean()),
        calibration=calibration_error(scores[claims], truth[claims] == 1),
    )
