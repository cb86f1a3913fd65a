"""The contest as one HTML page: the table, utility with its intervals, reliability, and risk by coverage. It loads
nothing from elsewhere."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from string import Template

from character_pipeline.evaluation.contest.standings import Place
from character_pipeline.evaluation.reliability import Said, diagram, risk_coverage

WIDTH, HEIGHT, EDGE = 420, 300, 44
"""Of a plot and the room around it, in pixels."""
POINTS = 120
"""Of a curve, at most."""
COLOURS = ("#1b6ca8", "#c2571a", "#2e8b57", "#8e4585", "#6b6b6b", "#b8860b")

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Ways of deciding</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
td, th { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
td:first-child, th:first-child { text-align: left; }
figure { display: inline-block; margin: 1rem 1rem 0 0; vertical-align: top; max-width: 100%; }
figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; }
svg text { font-size: 11px; fill: currentColor; }
</style></head><body>
<h1>Ways of deciding</h1>
<p>$intro</p>
$table
$plots
<h2>By attribute</h2>
$attributes
</body></html>
""")
INTRO = (
    "Utility: +1 for a right value, -1 for a wrong one, 0 for none; the mean over attributes. Ahead: how much more "
    "than the reference, net of cost, with the paired 95 % interval by character and the chance of as much by chance, "
    "corrected for the number of rows (Holm)."
)


def make_page(places: Sequence[Place], said: Mapping[str, Said]) -> str:
    """The page.

    Args:
        said: for the contenders to plot, how sure they were of each answer and whether it was right.
    """
    plots = [
        _figure("Utility ahead of the reference", _forest(places)),
        _figure("Reliability: how often what is said is right, by confidence", _reliability(said)),
        _figure("Risk by coverage: wrong among the surest answers", _risks(said)),
        _legend(said),
    ]
    return PAGE.substitute(
        intro=html.escape(INTRO), table=_table(places), plots="\n".join(plots), attributes=_attributes(places)
    )


def _cells(row: Iterable[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"


def _table(places: Sequence[Place]) -> str:
    rows = [_cells(("contender", "utility", "right", "answered", "macro F1", "ECE", "ms", "ahead", "95 %", "p"), "th")]
    for place in places:
        every, (low, high) = place.marks["all"], place.interval
        shares = [_share(share) for share in (every.accuracy, every.coverage, every.macro_f1)]
        ahead = [f"{place.ahead:+.4f}", f"{low:+.4f} to {high:+.4f}", f"{place.chance:.2g}"]
        numbers = [f"{every.utility:.4f}", *shares, f"{every.calibration:.3f}", f"{place.cost:.1f}"]
        rows.append(_cells([place.name, *numbers, *ahead]))
    return f"<table>{''.join(rows)}</table>"


def _attributes(places: Sequence[Place]) -> str:
    """The utility of every contender at every attribute."""
    labels = list(places[0].marks)
    rows = [_cells(("contender", *labels), "th")]
    rows += [_cells((place.name, *(_number(place.marks[label].utility) for label in labels))) for place in places]
    return f"<table>{''.join(rows)}</table>"


def _share(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _number(number: float) -> str:
    return "-" if math.isnan(number) else f"{number:.3f}"


def _figure(title: str, svg: str) -> str:
    return f"<figure><figcaption>{html.escape(title)}</figcaption>{svg}</figure>"


def _legend(said: Mapping[str, Said]) -> str:
    marks = [
        f'<span style="color:{colour}">&#9632;</span> {html.escape(name)}'
        for name, colour in zip(said, _colours(), strict=False)
    ]
    return f"<p>{' &nbsp; '.join(marks)}</p>"


def _colours() -> tuple[str, ...]:
    return COLOURS * 8


def _svg(inside: str, width: int = WIDTH, height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">{inside}</svg>'


def _line(points: Sequence[tuple[float, float]], colour: str, dashed: bool = False) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _frame(top: float, across: str, up: str) -> str:
    """Axes from 0 to 1 across and from 0 to `top` up."""
    parts = [_line([(EDGE, EDGE / 3), (EDGE, HEIGHT - EDGE), (WIDTH - EDGE / 3, HEIGHT - EDGE)], "#888")]
    for step in range(6):
        x, y = _at(step / 5, step / 5 * top, top)
        parts += [
            _text(x, HEIGHT - EDGE + 15, f"{step / 5:.1f}"),
            _text(EDGE - 6, y + 4, f"{step / 5 * top:.2g}", "end"),
        ]
    return "".join([*parts, _text(WIDTH / 2, HEIGHT - 8, across), _text(EDGE, 11, up, "start")])


def _at(x: float, y: float, top: float = 1.0) -> tuple[float, float]:
    wide, high = WIDTH - EDGE * 4 / 3, HEIGHT - EDGE * 4 / 3
    return EDGE + x * wide, HEIGHT - EDGE - min(y / top, 1.0) * high


def _reliability(said: Mapping[str, Said]) -> str:
    parts = [_frame(1.0, "confidence", "right"), _line([_at(0, 0), _at(1, 1)], "#888", dashed=True)]
    for one, colour in zip(said.values(), _colours(), strict=False):
        bins = diagram(one)
        parts.append(_line([_at(each.sure, each.right / each.answers) for each in bins], colour))
        parts += [_line([_at(each.sure, end) for end in each.interval], colour) for each in bins]
    return _svg("".join(parts))


def _risks(said: Mapping[str, Said]) -> str:
    curves = {name: risk_coverage(one) for name, one in said.items()}
    top = max((float(curve.risk.max(initial=0.0)) for curve in curves.values()), default=0.0) or 1.0
    parts = [_frame(top, "coverage", "wrong")]
    for curve, colour in zip(curves.values(), _colours(), strict=False):
        step = max(1, len(curve.risk) // POINTS)
        pairs = zip(curve.coverage[::step].tolist(), curve.risk[::step].tolist(), strict=True)
        parts.append(_line([_at(x, y, top) for x, y in pairs], colour))
    return _svg("".join(parts))


def _forest(places: Sequence[Place]) -> str:
    """A line for each contender that is near enough to the reference to be told from it."""
    near = [place for place in places if abs(place.ahead) < 0.15] or list(places)
    most = max(max(abs(end) for end in place.interval) for place in near) or 1.0
    left, wide, row = 190, 380, 18
    parts = [_line([(left + wide / 2, 0), (left + wide / 2, row * len(near))], "#888", dashed=True)]
    for number, place in enumerate(near):
        y = row * (number + 0.6)
        low, middle, high = (
            left + wide / 2 * (1 + x / most) for x in (place.interval[0], place.ahead, place.interval[1])
        )
        parts += [_text(left - 8, y + 4, place.name, "end"), _line([(low, y), (high, y)], COLOURS[0])]
        parts.append(f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[0]}"/>')
    parts.append(_text(left + wide / 2, row * len(near) + 14, f"-{most:.3f} to +{most:.3f}"))
    return _svg("".join(parts), left + wide + 10, row * len(near) + 20)
