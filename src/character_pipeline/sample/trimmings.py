"""The further parts of outfits, by the names that outfits.toml uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from character_pipeline.sample import trim_daily as daily
from character_pipeline.sample import trim_fancy as fancy
from character_pipeline.sample import trim_special as special
from character_pipeline.sample import trim_uniforms as uniforms
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
    "obi": Trimming(uniforms.obi, all_round=True),
    "petals": Trimming(uniforms.petals, all_round=True),
    "mandarin": Trimming(uniforms.mandarin),
    "frogs": Trimming(uniforms.frogs),
    "highbow": Trimming(uniforms.highbow),
    "sailor": Trimming(uniforms.sailor),
    "pleats": Trimming(uniforms.pleats, all_round=True),
    "crest": Trimming(uniforms.crest),
    "standing": Trimming(uniforms.standing),
    "buttons": Trimming(uniforms.buttons),
    "twobuttons": Trimming(uniforms.twobuttons),
    "epaulettes": Trimming(uniforms.epaulettes, all_round=True),
    "medals": Trimming(uniforms.medals),
    "cross": Trimming(uniforms.cross),
    "kerchief": Trimming(uniforms.kerchief),
    "badge": Trimming(uniforms.badge),
    "pockets": Trimming(uniforms.pockets),
    "bibapron": Trimming(uniforms.bibapron),
    "frillapron": Trimming(uniforms.frillapron),
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
    "sash": Trimming(fancy.sash, all_round=True),
    "runes": Trimming(fancy.runes, all_round=True),
    "laced": Trimming(fancy.laced),
    "tunic": Trimming(fancy.tunic, all_round=True),
    "ruffles": Trimming(fancy.ruffles),
    "corset": Trimming(fancy.corset, all_round=True),
    "belly": Trimming(fancy.belly),
    "earhood": Trimming(fancy.earhood, all_round=True),
    "emblem": Trimming(fancy.emblem),
    "trunks": Trimming(fancy.trunks, all_round=True),
    "furtrim": Trimming(fancy.furtrim, all_round=True),
    "furcollar": Trimming(fancy.furcollar, all_round=True),
}
