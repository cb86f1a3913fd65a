"""Values that are not right often enough are withheld."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_pipeline.attribute_fusion.fusion import Fuser
from character_pipeline.attribute_fusion.precision import NEVER, find_thresholds, withhold
from character_pipeline.attribute_fusion.weights import Weights, load_weights
from character_pipeline.config import AttributeFusionConfig, load_config
from character_pipeline.data import AttributeValue, Evidence, by_attribute
from character_pipeline.errors import ConfigError
from character_pipeline.schema import find_fault
from tests.attribute_fusion.claims import any_claim
from tests.attribute_fusion.voting import VOCABULARY

LOOKERS = frozenset({"clip_analyzer"})
HALF = {"hair_color": 0.8, "accessories": 0.8, "hair_style": 0.95, "hair_length": 0.0, "gender": NEVER}


@pytest.fixture
def config(tmp_path: Path) -> AttributeFusionConfig:
    path = tmp_path / "weights.json"
    values = {key: attribute.values for key, attribute in VOCABULARY.attributes.items()}
    Weights(values=values, thresholds={"hierarchical": {"0.9": HALF}}).save(path)
    return AttributeFusionConfig(target_precision=0.9, weights=str(path))


def tag(key: str, value: str, score: float) -> Evidence:
    return Evidence(key, value, score, "tag_parser/1", value.lower())


def decide(config: AttributeFusionConfig, *claims: Evidence) -> dict[str, AttributeValue]:
    return Fuser(VOCABULARY, config, LOOKERS).decide(by_attribute(claims))


def test_below_the_threshold_a_value_is_withheld_and_stays_among_the_alternatives(
    config: AttributeFusionConfig,
) -> None:
    sure = decide(config, tag("hair_color", "Red", 0.8), tag("hair_length", "Long", 0.35))
    assert (sure["Hair Color"].value, sure["Hair Length"].value) == ("Red", "Long")
    unsure = decide(config, tag("hair_color", "Red", 0.79))["Hair Color"]
    assert (unsure.state, unsure.values, unsure.confidence) == ("unknown", (), 0.0)
    assert unsure.alternatives == (("Red", 0.79),)
    assert find_fault(VOCABULARY.attributes["hair_color"], unsure) is None


def test_what_no_threshold_reaches_or_none_is_known_of_is_always_withheld(config: AttributeFusionConfig) -> None:
    decided = decide(config, tag("gender", "Male", 1.0), tag("age", "Teen", 1.0))
    assert {decided["Gender"].state, decided["Age"].state} == {"unknown"}
    assert decided["Age"].alternatives[0][0] == "Teen"


def test_of_a_list_each_value_is_withheld_by_itself(config: AttributeFusionConfig) -> None:
    claims = [tag("accessories", "Hat", 0.9), tag("accessories", "Glasses", 0.7), tag("accessories", "Scarf", 0.85)]
    found = decide(config, *claims)["Accessories"]
    assert found.values == ("Hat", "Scarf")
    assert found.confidence == pytest.approx((0.9 + 0.85) / 2)
    assert found.alternatives == (("Glasses", 0.7),)


def test_states_that_hold_no_value_stay(config: AttributeFusionConfig) -> None:
    closed = Evidence("eye_color", "", 0.9, "tag_parser/1", "closed eyes", "hidden")
    assert decide(config, closed)["Eye Color"].state == "not_visible"


def test_a_withheld_bald_head_still_shows_that_no_hair_was_seen(config: AttributeFusionConfig) -> None:
    seen = Evidence("hair_color", "Brown", 0.9, "clip_analyzer/1", "brown hair")
    found = decide(config, tag("hair_style", "Bald", 0.9), seen)
    assert found["Hair Style"].state == "unknown"
    assert found["Hair Color"].state == "not_applicable"


def test_a_target_without_thresholds_says_what_there_is(config: AttributeFusionConfig) -> None:
    for changed in ({"target_precision": 0.97}, {"fusion_strategy": "majority_voting"}):
        with pytest.raises(ConfigError, match=r"They have: 0\.9 for 'hierarchical'\. Take one of these.*train calibr"):
            Fuser(VOCABULARY, config.model_copy(update=changed))
    with pytest.raises(ConfigError, match="They have: none"):
        find_thresholds(Weights(), "ensemble", 0.98)


@pytest.mark.parametrize("target", [0.0, 1.0, 98, "most"])
def test_a_target_is_a_share(target: object) -> None:
    with pytest.raises(ConfigError, match="target_precision"):
        load_config({"attribute_fusion": {"target_precision": target}})


def test_the_package_has_thresholds_for_its_strategies() -> None:
    weights = load_weights()
    for strategy in ("hierarchical", "ensemble", "bayesian"):
        strict = find_thresholds(weights, strategy, 0.99)
        lax = find_thresholds(weights, strategy, 0.9)
        assert set(strict) == set(lax) == set(VOCABULARY.attributes)
        assert sum(least <= 1 for least in strict.values()) >= 8
        assert sum(least <= 1 for least in lax.values()) > sum(least <= 1 for least in strict.values())
        assert strict["ethnicity"] == NEVER


CLAIMS = any_claim(["tag_parser/1", "clip_analyzer/1", "color_analyzer/1"])


@given(st.lists(CLAIMS, max_size=10), st.sampled_from(["hierarchical", "ensemble", "bayesian"]))
def test_withholding_only_takes_away(claims: list[Evidence], strategy: str) -> None:
    usual = Fuser(VOCABULARY, AttributeFusionConfig(fusion_strategy=strategy), LOOKERS)
    strict = Fuser(VOCABULARY, AttributeFusionConfig(fusion_strategy=strategy, target_precision=0.98), LOOKERS)
    said = by_attribute(claims)
    before, after, sure = usual.decide(said), strict.decide(said), usual.sure_of([said])[0]
    for label, decided in after.items():
        attribute = VOCABULARY.attribute(label)
        assert find_fault(attribute, decided) is None
        assert decided.evidence == before[label].evidence
        assert set(sure.get(label, {})) == set(before[label].values)
        assert strict.thresholds is not None
        least = strict.thresholds.get(attribute.key, NEVER)
        assert decided.values == tuple(v for v in before[label].values if sure[label][v] >= least)
        gone = set(before[label].values) - set(decided.values)
        assert gone <= {value for value, _ in decided.alternatives}
        assert decided.state == ("unknown" if gone and not decided.values else before[label].state)


def test_the_first_value_of_a_list_that_shows_one_gives_the_confidence() -> None:
    both = AttributeValue("known", ("Ponytail", "Curly"), 0.9, None, (), (), listed=False)
    found = withhold(both, {"Ponytail": 0.6, "Curly": 0.9}, 0.7)
    assert (found.values, found.confidence, found.alternatives) == (("Curly",), 0.9, (("Ponytail", 0.6),))
