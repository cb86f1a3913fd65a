"""The further parts of outfits, by the names that outfits.toml uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from character_pipeline.sample import trim_daily as daily
from character_pipeline.sample import trim_special as special
from character_pipeline.sample.character import Character
from character_pipeline.sample.pen import Pen
from character_pipeline.sample.rig import Rig


class Trimming(NamedTuple):
    """A part of an outfit; `all_round` ones are seen from behind too."""

    draw: Callable[[Pen, Character, Rig, tuple[str, str, str]], None]
    all_round: bool = False


TRIMMINGS: Mapping[str, Trimming] = {
    "round": Trimming(daily.round_neck),
    "vee": Trimming(daily.vee),
    "collar": Trimming(daily.collar),
    "lapels": Trimming(daily.lapels),
    "hood": Trimming(daily.hood),
    "pocket": Trimming(daily.pocket),
    "turtle": Trimming(daily.turtle, all_round=True),
    "ribs": Trimming(daily.ribs, all_round=True),
    "stripes": Trimming(daily.stripes, all_round=True),
    "bib": Trimming(daily.bib),
    "sparkle": Trimming(daily.sparkle, all_round=True),
    "obi": Trimming(daily.obi, all_round=True),
    "petals": Trimming(daily.petals, all_round=True),
    "mandarin": Trimming(daily.mandarin),
    "frogs": Trimming(daily.frogs),
    "highbow": Trimming(daily.highbow),
    "sailor": Trimming(daily.sailor),
    "pleats": Trimming(daily.pleats, all_round=True),
    "crest": Trimming(daily.crest),
    "standing": Trimming(daily.standing),
    "buttons": Trimming(daily.buttons),
    "twobuttons": Trimming(daily.twobuttons),
    "epaulettes": Trimming(daily.epaulettes, all_round=True),
    "medals": Trimming(daily.medals),
    "cross": Trimming(daily.cross),
    "kerchief": Trimming(daily.kerchief),
    "badge": Trimming(daily.badge),
    "pockets": Trimming(daily.pockets),
    "bibapron": Trimming(daily.bibapron),
    "frillapron": Trimming(daily.frillapron),
    "zip": Trimming(special.zipper),
    "sidestripe": Trimming(special.sidestripe, all_round=True),
    "number": Trimming(special.number, all_round=True),
    "ringer": Trimming(special.ringer),
    "nametag": Trimming(special.nametag),
    "waves": Trimming(special.waves, all_round=True),
    "dots": Trimming(special.dots, all_round=True),
    "lace": Trimming(special.lace),
    "plates": Trimming(special.plates),
    "tassets": Trimming(special.tassets, all_round=True),
    "pauldrons": Trimming(special.pauldrons, all_round=True),
    "greaves": Trimming(special.greaves),
    "sash": Trimming(special.sash, all_round=True),
    "runes": Trimming(special.runes, all_round=True),
    "laced": Trimming(special.laced),
    "tunic": Trimming(special.tunic, all_round=True),
    "ruffles": Trimming(special.ruffles),
    "corset": Trimming(special.corset, all_round=True),
    "belly": Trimming(special.belly),
    "earhood": Trimming(special.earhood, all_round=True),
    "emblem": Trimming(special.emblem),
    "trunks": Trimming(special.trunks, all_round=True),
    "furtrim": Trimming(special.furtrim, all_round=True),
    "furcollar": Trimming(special.furcollar, all_round=True),
}
