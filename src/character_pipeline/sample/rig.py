"""The proportions of a person: where the joints are and how wide everything is, in units of `geometry`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from character_pipeline.sample.character import Character
from character_pipeline.sample.geometry import Point
from character_pipeline.sample.shot import Shot
from character_pipeline.sample.styles import Style


@dataclass(frozen=True, slots=True)
class Build:
    """Factors of a body: its length, and the widths of shoulders, waist, hips and limbs."""

    length: float = 1.0
    shoulder: float = 1.0
    waist: float = 1.0
    hip: float = 1.0
    limb: float = 1.0


BODIES: Mapping[str, Build] = {
    "Slim": Build(1.02, 0.92, 0.82, 0.88, 0.78),
    "Petite": Build(0.82, 0.82, 0.8, 0.82, 0.8),
    "Average": Build(),
    "Athletic": Build(1.02, 1.1, 0.94, 0.98, 1.12),
    "Muscular": Build(1.04, 1.34, 1.12, 1.04, 1.62),
    "Curvy": Build(1.0, 1.03, 0.95, 1.26, 1.14),
    "Plump": Build(0.97, 1.16, 1.62, 1.34, 1.42),
}
AGES: Mapping[str, Build] = {
    "Child": Build(0.6, 0.6, 0.72, 0.66, 0.72),
    "Teen": Build(0.88, 0.88, 0.92, 0.9, 0.9),
    "Young Adult": Build(),
    "Middle-Aged": Build(0.99, 1.03, 1.1, 1.06, 1.05),
    "Elderly": Build(0.88, 0.94, 1.12, 1.02, 0.92),
}
GENDERS: Mapping[str, tuple[float, float, float, float]] = {
    # half-widths: shoulder, waist, hip, limb
    "Female": (76, 47, 69, 15),
    "Male": (92, 62, 64, 18),
}
FACES: Mapping[str, tuple[float, float, float, float, float]] = {
    # jaw width, chin, height of the eyes on the face, size of the eyes, how soft the cheeks are
    "Child": (43, 56, 14, 1.14, 1.04),
    "Teen": (38, 59, 10, 1.0, 1.0),
    "Young Adult": (37, 61, 8, 0.94, 0.99),
    "Middle-Aged": (40, 63, 5, 0.8, 0.99),
    "Elderly": (39, 63, 6, 0.72, 0.97),
}
POSES: Mapping[str, tuple[tuple[float, float, float, float], tuple[float, float, float, float]]] = {
    # for the left and right arm: elbow and wrist, sideways in arm lengths from the shoulder, then down
    "sides": ((0.07, 0.5, 0.1, 1.0), (0.07, 0.5, 0.1, 1.0)),
    "hip": ((0.07, 0.5, 0.1, 1.0), (0.42, 0.44, -0.02, 0.84)),
    "wave": ((0.07, 0.5, 0.1, 1.0), (0.34, 0.38, 0.52, -0.14)),
    "behind": ((0.16, 0.5, -0.14, 0.88), (0.16, 0.5, -0.14, 0.88)),
    "front": ((0.13, 0.5, -0.24, 0.84), (0.13, 0.5, -0.24, 0.84)),
}
HEAD_TOP = -66.0
HEAD_HALF = 54.0


@dataclass(frozen=True, slots=True)
class Rig:
    """Where everything is. Heights run from `neck` down to `floor`; widths are half-widths."""

    size: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    limb: float
    neck_width: float
    neck: float
    shoulder_y: float
    chest_y: float
    waist_y: float
    hip_y: float
    crotch: float
    knee: float
    floor: float
    arms: tuple[tuple[Point, ...], tuple[Point, ...]]
    legs: tuple[tuple[Point, ...], tuple[Point, ...]]
    jaw: float
    chin: float
    eye_y: float
    eye: float
    cheek: float

    def leg_at(self, share: float) -> float:
        """The height at which this share of the leg is covered, from the hip to the floor."""
        return self.hip_y + (self.floor - self.hip_y) * share


def make_rig(person: Character, shot: Shot, style: Style) -> Rig:
    """The proportions of this person in this picture."""
    body, age = BODIES[person.body], AGES[person.age]
    size = style.body * body.length * age.length
    wide = style.body**0.75
    shoulder, waist, hip, limb = GENDERS[person.gender]
    shoulder *= body.shoulder * age.shoulder * wide
    waist *= body.waist * age.waist * wide
    hip *= body.hip * age.hip * wide
    limb *= body.limb * age.limb * wide
    jaw, chin, eye_y, eye, cheek = FACES[person.age]
    neck = chin - 4
    levels = {key: neck + size * at for key, at in _LEVELS.items()}
    arm = (levels["crotch"] - levels["shoulder_y"]) * 0.92
    male = person.gender == "Male" and person.age not in {"Child"}
    return Rig(
        size=size,
        shoulder=shoulder,
        chest=shoulder * (0.76 if person.gender == "Male" else 0.73),
        waist=waist,
        hip=hip,
        limb=limb,
        neck_width=(20 if male else 15) * wide * (1.5 if person.body == "Muscular" else 1.0),
        neck=neck,
        arms=(
            _arm(POSES[shot.pose][0], shoulder - limb * 0.9, levels["shoulder_y"] + limb * 0.7, arm, -1),
            _arm(POSES[shot.pose][1], shoulder - limb * 0.9, levels["shoulder_y"] + limb * 0.7, arm, 1),
        ),
        legs=(_leg(hip, levels, -1), _leg(hip, levels, 1)),
        jaw=jaw + (5 if male else 0) + (4 if person.body == "Plump" else 0),
        chin=chin + (3 if male else 0),
        eye_y=eye_y,
        eye=eye * style.eye * (0.86 if male else 1.0),
        cheek=cheek + (0.05 if person.body == "Plump" else 0),
        **levels,
    )


_LEVELS: Mapping[str, float] = {
    "shoulder_y": 36,
    "chest_y": 92,
    "waist_y": 158,
    "hip_y": 222,
    "crotch": 250,
    "knee": 396,
    "floor": 560,
}


def _arm(pose: tuple[float, float, float, float], x: float, y: float, length: float, side: int) -> tuple[Point, ...]:
    elbow_x, elbow_y, wrist_x, wrist_y = pose
    return (
        (side * x, y),
        (side * (x + elbow_x * length), y + elbow_y * length),
        (side * (x + wrist_x * length), y + wrist_y * length),
    )


def _leg(hip: float, levels: Mapping[str, float], side: int) -> tuple[Point, ...]:
    x = hip * 0.5
    return ((side * x, levels["hip_y"]), (side * x, levels["knee"]), (side * x * 0.98, levels["floor"] - 8))
