"""What most pictures of a character show, as a prior: it fills what nothing else says of another picture of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from character_pipeline.config import AttributeFusionConfig
from character_pipeline.data import AttributeValue, Evidence, Item
from character_pipeline.database.connection import find_place
from character_pipeline.database.profiles import PRIOR, Profile, find_profiles, own_votes, profiles_digest
from character_pipeline.database.store import Store
from character_pipeline.errors import ConfigError
from character_pipeline.extractors.reading import read
from character_pipeline.vocabulary import Attribute, Vocabulary
from character_pipeline.vocabulary.character_names import named_character
from character_pipeline.vocabulary.lexicon import load_lexicon

SOURCE = f"{PRIOR}/1"
USUAL = 0.8
"""The least probability of a value that is taken over."""
Z = 1.96


class CharacterPrior:
    """Fills unknown attributes of named characters from the profiles of a database.

    A value is taken over only of attributes that last, where nothing speaks for another one, and where the lower end of
    the interval of its share (Wilson, 95 %) among the other pictures of the character is high enough; that is also its
    confidence. An item's own vote, and that of its copies, is left out.

    Args:
        address: the database in which `charpipe profiles` counted.
        least: the least confidence of a value.
    """

    def __init__(self, address: str, vocabulary: Vocabulary, least: float = USUAL) -> None:
        self.address = address
        self.lasting = [attribute for attribute in vocabulary.attributes.values() if attribute.lasting]
        self.lexicon = load_lexicon(vocabulary.folder)
        self.least = least

    def fill(self, items: Sequence[Item], found: Sequence[dict[str, AttributeValue]]) -> None:
        """Fill what was decided of each item, by label, in place."""
        # By place, not by id: single items of a service have none.
        named = [(place, name) for place, item in enumerate(items) if (name := self._name(item.text))]
        if not named:
            return
        with closing(find_place(self.address).connect()) as db:
            profiles = find_profiles(db, sorted({name for _, name in named}))
            votes = own_votes(db, [items[place].item_id for place, _ in named])
        for place, name in named:
            if (profile := profiles.get(name)) is not None:
                said, decided = votes.get(items[place].item_id), found[place]
                self._fill(profile.without(said[1]) if said and said[0] == profile.name else profile, decided)

    def _name(self, text: str | None) -> str | None:
        return named_character(read(text, self.lexicon.knows).tags, self.lexicon) if text and "(" in text else None

    def _fill(self, profile: Profile, decided: dict[str, AttributeValue]) -> None:
        for attribute in self.lasting:
            old = decided[attribute.label]
            claim = self._claim(profile, attribute)
            if old.state == "unknown" and claim is not None and not _disagrees(old, claim.value):
                known = {"state": "known", "values": (claim.value,), "confidence": claim.score}
                decided[attribute.label] = replace(old, **known, evidence=(*old.evidence, claim))  # type: ignore[arg-type]

    def _claim(self, profile: Profile, attribute: Attribute) -> Evidence | None:
        support, counts = profile.support[attribute.key], profile.votes.get(attribute.key, Counter())
        value, count = max(counts.items(), key=lambda pair: (pair[1], pair[0]), default=("", 0))
        share = lower_end(count, support)
        if value not in attribute.order or share < self.least:
            return None
        origin = f"{profile.name}: {count:,} of {support:,} others"
        return Evidence(attribute.key, value, round(share, 4), SOURCE, origin)


def lower_end(hits: int, of: int) -> float:
    """The lower end of the Wilson interval of a share (95 %); 0 of nothing."""
    if of <= 0:
        return 0.0
    share, square = hits / of, Z * Z / of
    spread = Z * math.sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (share + square / 2 - spread) / (1 + square))


def _disagrees(old: AttributeValue, value: str) -> bool:
    return any(claim.value != value or claim.stance != "is" for claim in old.evidence)


def make_prior(fusion: AttributeFusionConfig, vocabulary: Vocabulary) -> CharacterPrior | None:
    """What the settings ask for."""
    if fusion.character_profiles is None:
        return None
    least = max(USUAL, fusion.confidence_threshold, fusion.target_precision or 0.0)
    return CharacterPrior(fusion.character_profiles, vocabulary, least)


def prior_digest(fusion: AttributeFusionConfig) -> str:
    """Names the profiles of the settings; "" where there are none. Raises ConfigError where nobody counted any."""
    if fusion.character_profiles is None:
        return ""
    with closing(Store(fusion.character_profiles, writable=False)) as store:
        digest, place = profiles_digest(store.db), store.name
    if digest is None:
        raise ConfigError(f"{place} has no profiles of characters: charpipe profiles {place} counts them")
    return digest
