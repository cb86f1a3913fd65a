"""Fusion weights as a file that anybody may have written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.fusion import Fuser, read_weights
from character_pipeline.attribute_fusion.strategies import LEARNED
from character_pipeline.attribute_fusion.weights import DEFAULT, LARGEST, Weights, fitting, load_weights
from character_pipeline.config import AttributeFusionConfig
from character_pipeline.errors import ConfigError
from tests.attribute_fusion.voting import VOCABULARY, make_ballot

GENDER = VOCABULARY.attributes["gender"].values
HABITS = {
    "sources": ["a"],
    "prior": [0.4, 0.4, 0.1, 0.1],
    "silent": [[0.5, 0.5, 0.5, 0.5]],
    "weight": [1.0],
}
STACK = {"sources": ["a"], "weights": [1.0, 0.0, -1.0, 0.0, 0.0], "offset": 0.0}
GOOD: dict[str, Any] = {
    "values": {"gender": GENDER},
    "curves": {"a": {"gender": {"slope": 0.9}}},
    "habits": {"gender": HABITS},
    "stacks": {"gender": STACK, "*": STACK},
    "thresholds": {"ensemble": {"0.98": {"gender": 0.9}}},
}


def write(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "weights.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    weights = load_weights(write(tmp_path, GOOD))
    weights.save(tmp_path / "again.json")
    again = load_weights(tmp_path / "again.json")
    assert again == weights
    assert again.digest == weights.digest
    again.save(tmp_path / "third.json")
    assert (tmp_path / "third.json").read_bytes() == (tmp_path / "again.json").read_bytes()


def test_weights_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        Weights().save(tmp_path / "no such folder" / "weights.json")


def broken(**parts: Any) -> dict[str, Any]:
    return {**GOOD, **parts}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{",
        "\ud800",
        '{"version": 2}',
        '{"version": NaN}',
        '{"learned_from": {"x": "\\ud800"}}',
        '{"learned_from": {"x": ' + "[" * 100_000 + "]" * 100_000 + "}}",
        '{"learned_from": {"x": ' + "[" * 500 + "]" * 500 + "}}",
        '{"curves": {"a": {"gender": {"slope": 1' + "0" * 400 + "}}}}",
        '{"curves": {"a": {"gender": {"slope": NaN}}}}',
        '{"curves": {"a": {"gender": {"slope": Infinity}}}}',
        '{"thresholds": {"ensemble": {"0.98": {"gender": NaN}}}}',
        {"surprise": 1},
        {"curves": {"a" * 1000: {}}},
        {"curves": {"a": {"gender": {"slope": -1.0}}}},
        {"curves": {"a": {"gender": {"scores": [0.5, 0.1], "chances": [0.1, 0.5]}}}},
        {"curves": {"a": {"gender": {"scores": [0.1, 0.5], "chances": [0.5, 0.1]}}}},
        {"curves": {"a": {"gender": {"scores": [0.1, 0.5], "chances": [0.5]}}}},
        {"curves": {"a": {"gender": {"scores": [0.1], "chances": [1.5]}}}},
        {"thresholds": {"ensemble": {"0.98": {"gender": -1}}}},
        {"habits": {"gender": HABITS}},
        broken(habits={"gender": {**HABITS, "prior": [0.5, 0.5]}}),
        broken(habits={"gender": {**HABITS, "prior": [1.0, 0.0, 0.0, 0.0]}}),
        broken(habits={"gender": {**HABITS, "silent": [[0.5, 0.5]]}}),
        broken(habits={"gender": {**HABITS, "silent": []}}),
        broken(habits={"gender": {**HABITS, "mute": [[0.5]]}}),
        broken(habits={"gender": {**HABITS, "weight": [1.0, 1.0]}}),
        broken(habits={"gender": {**HABITS, "weight": [3.0]}}),
        broken(stacks={"gender": {**STACK, "weights": [1.0]}}),
        broken(stacks={"gender": {**STACK, "offset": "much"}}),
    ],
    ids=lambda content: str(content)[:60].encode("unicode_escape").decode(),
)
def test_broken_files_are_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "weights.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError, match=r"weights cannot be read: .*charpipe train calibration"):
        load_weights(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_weights_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "weights.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load_weights(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "a", "gender"]), inner),
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON))
def test_any_json_is_weights_or_refused(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "weights.json"
    path.write_text(json.dumps(content))
    try:
        found = fitting(load_weights(path), VOCABULARY.attributes)
    except ConfigError:
        return
    assert found.digest
    for name in LEARNED:
        assert Fuser(VOCABULARY, AttributeFusionConfig(fusion_strategy=name, weights=str(path))).strategy.name == name


def test_huge_and_endless_files_are_not_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ConfigError, match="larger"):
        load_weights(huge)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "gone.json", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="no such file"):
            load_weights(path)


def test_what_was_learned_of_other_values_is_left_out() -> None:
    weights = Weights.model_validate(GOOD)
    assert fitting(weights, VOCABULARY.attributes) == weights
    others = fitting(Weights.model_validate(broken(values={"gender": ["x", "y", "z"]})), VOCABULARY.attributes)
    assert not others.habits
    assert set(others.stacks) == {"*"}
    assert others.thresholds == {"ensemble": {"0.98": {}}}


def test_habits_of_a_choice_do_not_serve_a_list() -> None:
    hats = VOCABULARY.attributes["accessories"].values
    row = {"sources": ["a"], "prior": [0.1] * (len(hats) + 1), "silent": [[0.5] * (len(hats) + 1)], "weight": [1.0]}
    weights = Weights.model_validate({"values": {"accessories": hats}, "habits": {"accessories": row}})
    assert not fitting(weights, VOCABULARY.attributes).habits


def test_the_digest_names_what_was_learned_of_sources_alone() -> None:
    weights, other = Weights.model_validate(GOOD), Weights.model_validate(broken(curves={}))
    without = Weights.model_validate(broken(thresholds={}))
    assert weights.digest == without.digest != other.digest
    assert weights.thresholds_digest == other.thresholds_digest != without.thresholds_digest


def test_the_package_has_weights_for_every_attribute() -> None:
    weights = read_weights(VOCABULARY, AttributeFusionConfig())
    assert DEFAULT.stat().st_size < LARGEST
    assert set(weights.habits) == set(VOCABULARY.attributes)
    assert weights.calibration().curve("clip_analyzer", "hair_color") is not None
    for name in LEARNED:
        fuser = Fuser(VOCABULARY, AttributeFusionConfig(fusion_strategy=name))
        support = fuser.strategy.support(make_ballot("hair_color", [[{"Red": 0.9}]]))
        assert np.isfinite(support).all()
