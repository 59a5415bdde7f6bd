"""A line chart or two as one small SVG file, readable as text and on light and dark pages."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 440, 300, 46, 24, 40, 44  # of a panel, and the margins in it
TICKS = 5
LINE, OTHER, AIM, INK, GRID = "#1f6fb2", "#c2571a", "#2e8b57", "#555", "#ccc"


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`line`: what grows. `others`: what stands beside it. `aim`: the most that its y may be at its x."""

    title: str
    unit: str
    line: Sequence[Point]
    others: Sequence[Point]
    aim: Point


def draw(panels: Sequence[Panel], *, x: str) -> str:
    """The SVG text. `x`: what the horizontal axis counts."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH * len(panels)}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for place, panel in enumerate(panels):
        lines += [f'<g transform="translate({place * WIDTH} 0)">', *_panel(panel, x), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(panel: Panel, x_title: str) -> Iterator[str]:
    points = [*panel.line, *panel.others, panel.aim]
    step = _step(max(point.y for point in points))
    x_end, y_end = max(point.x for point in points), step * TICKS

    def x(value: float) -> float:
        return round(LEFT + value / x_end * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - value / y_end * (HEIGHT - TOP - BOTTOM), 1)

    yield _text(LEFT, 20, f"{panel.title} ({panel.unit})", INK, weight="bold")
    yield _text(WIDTH - RIGHT, HEIGHT - 8, x_title, INK, anchor="end")
    for tick in range(TICKS + 1):
        height = y(tick * step)
        yield f'<path d="M{LEFT} {height}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield _text(LEFT - 6, height + 4, f"{tick * step:g}", INK, anchor="end")
    for point in panel.line:
        yield _text(x(point.x), HEIGHT - BOTTOM + 16, point.label, INK, anchor="middle")
    path = " ".join(f"{x(point.x)},{y(point.y)}" for point in panel.line)
    yield f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>'
    for point, colour, label in [
        *((each, LINE, f"{each.y:g}") for each in panel.line),
        *((each, OTHER, f"{each.label}: {each.y:g}") for each in panel.others),
    ]:
        yield f'<circle cx="{x(point.x)}" cy="{y(point.y)}" r="4" fill="{colour}"/>'
        yield _text(x(point.x) + 4, y(point.y) - 8, label, colour, anchor="middle")
    aim_x, aim_y = x(panel.aim.x), y(panel.aim.y)
    yield f'<path d="M{aim_x - 14} {aim_y}h28" stroke="{AIM}" stroke-width="2" stroke-dasharray="4 2"/>'
    yield _text(aim_x - 18, aim_y + 4, panel.aim.label, AIM, anchor="end")


def _step(highest: float) -> float:
    """The smallest round step of which `TICKS` reach `highest`."""
    unit: float = 10.0 ** math.floor(math.log10(max(highest, 1e-9) / TICKS))
    return next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor * TICKS >= highest)


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
