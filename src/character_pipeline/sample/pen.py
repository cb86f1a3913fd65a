"""The pen: writes shapes as SVG in the manner of a style."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from character_pipeline.sample.geometry import Shape
from character_pipeline.sample.palette import INK, grey, lit, mix, shadow
from character_pipeline.sample.styles import Style


@dataclass(frozen=True, slots=True)
class Blend:
    """Several colours in one area: side by side ("split") or running down from `start` to `end` ("fade")."""

    kind: str
    colours: tuple[str, ...]
    start: float = -80.0
    end: float = 120.0


Paint = str | Blend


@dataclass(slots=True)
class Pen:
    """Collects SVG elements. `colourless` turns every colour into grey."""

    style: Style
    colourless: bool = False
    parts: list[str] = field(default_factory=list)
    defs: dict[str, str] = field(default_factory=dict)

    def fill(self, shape: Shape, paint: Paint, ink: float = 1.0, shade: bool = True) -> None:
        """An area; `ink` scales its outline (0: none), `shade` lets the style model it with light."""
        width = self.style.ink * ink
        if not width:
            self._area(shape, paint, shade)
            return
        self._area(shape, paint, shade)
        self.line(shape, self.outline(paint), ink)

    def flat(self, shape: Shape, paint: Paint, opacity: float = 1.0) -> None:
        """An area without outline or modelling."""
        extra = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
        self.parts.append(f'<path d="{shape.path}" fill="{self._paint(paint)}"{extra}/>')

    def line(self, shape: Shape, colour: str | None = None, width: float = 1.0, least: float = 0.0) -> None:
        """A line as wide as the style's ink times `width`, and at least `least` units."""
        wide = max(self.style.ink * width, least)
        if not wide:
            return
        stroke = f'fill="none" stroke="{self.tone(colour or INK)}" stroke-width="{wide:.1f}"'
        if self.style.loose and width >= 0.8:
            self.parts.append(f'<path transform="translate(1.6 -1.3)" d="{shape.path}" {stroke} stroke-opacity=".5"/>')
        self.parts.append(f'<path d="{shape.path}" {stroke}/>')

    def outline(self, paint: Paint) -> str:
        """The colour of the line around an area."""
        base = paint if isinstance(paint, str) else paint.colours[0]
        return mix(mix(base, INK, 0.62), "#7a2a3a", 0.12) if self.style.tinted else INK

    def tone(self, colour: str) -> str:
        """A colour as this picture shows it."""
        washed = mix(colour, self.style.paper, self.style.wash) if self.style.wash else colour
        return grey(washed) if self.colourless else washed

    @contextmanager
    def moved(self, transform: str) -> Iterator[None]:
        """Everything drawn inside is moved by an SVG transform."""
        self.parts.append(f'<g transform="{transform}">')
        yield
        self.parts.append("</g>")

    def document(self, view: tuple[float, float, float, float]) -> str:
        """The SVG of all that was drawn, seen through `view`: left, top, width, height."""
        joins = 'stroke-linejoin="round" stroke-linecap="round"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {joins} viewBox="{{}} {{}} {{}} {{}}">'
        defs = f"<defs>{''.join(self.defs.values())}</defs>" if self.defs else ""
        return head.format(*(f"{number:.1f}" for number in view)) + defs + "".join(self.parts) + "</svg>"

    def _area(self, shape: Shape, paint: Paint, shade: bool) -> None:
        mode = self.style.shade if shade and isinstance(paint, str) else "none"
        if mode == "cel" and isinstance(paint, str):
            x, y = shape.light
            self.flat(shape, shadow(paint, 0.2))
            place = f"translate({x * 0.1:.1f} {y * 0.1:.1f}) scale(.9)"
            self.parts.append(f'<path transform="{place}" d="{shape.path}" fill="{self.tone(paint)}"/>')
        elif mode == "soft" and isinstance(paint, str):
            self.parts.append(f'<path d="{shape.path}" fill="{self._soft(paint)}"/>')
        elif self.style.loose:
            self.parts.append(f'<path transform="translate(-2.5 2)" d="{shape.path}" fill="{self._paint(paint)}"/>')
        else:
            self.flat(shape, paint)

    def _soft(self, colour: str) -> str:
        stops = ((0, lit(colour, 0.3)), (0.5, colour), (1, shadow(colour, 0.19)))
        return self._gradient("".join(_stop(at, self.tone(c)) for at, c in stops), 'x1="0" y1="0" x2=".8" y2="1"')

    def _paint(self, paint: Paint) -> str:
        if isinstance(paint, str):
            return self.tone(paint)
        colours = [self.tone(colour) for colour in paint.colours]
        if paint.kind == "split":
            stops = _stop(0.5, colours[0]) + _stop(0.5, colours[1])
            return self._gradient(stops, 'gradientUnits="userSpaceOnUse" x1="-90" y1="0" x2="90" y2="0"')
        stops = "".join(_stop(0.3 + 0.5 * i / (len(colours) - 1), colour) for i, colour in enumerate(colours))
        where = f'gradientUnits="userSpaceOnUse" x1="0" y1="{paint.start:.0f}" x2="0" y2="{paint.end:.0f}"'
        return self._gradient(stops, where)

    def _gradient(self, stops: str, where: str) -> str:
        key = stops + where
        if key not in self.defs:
            self.defs[key] = f'<linearGradient id="g{len(self.defs)}" {where}>{stops}</linearGradient>'
        return f"url(#g{list(self.defs).index(key)})"


def _stop(offset: float, colour: str) -> str:
    return f'<stop offset="{offset:.2f}" stop-color="{colour}"/>'
