"""Line charts of a model card as inline SVG, coloured by the page's own style sheet."""

import math
from collections.abc import Sequence
from html import escape

Points = Sequence[Sequence[float]]

_SIZE, _LEFT, _TOP, _BOTTOM = 300, 46, 10, 40
_TICKS = 5


def line_chart(
    title: str, x_axis: str, y_axis: str, model: Points, beside: Points, dots: bool = False
) -> str:
    """The model's line, dotted where asked for, and one to hold it against; x is from 0 to 1, y from 0 on."""
    top = float(max(1, math.ceil(max(y for points in (model, beside) for _, y in points))))
    whole, height = _LEFT + _SIZE + 14, _TOP + _SIZE + _BOTTOM
    marks = [f'<circle cx="{_x(x):.1f}" cy="{_y(y, top):.1f}" r="4"/>' for x, y in model] if dots else []
    parts = [
        *[_grid(step / _TICKS, top) for step in range(_TICKS + 1)],
        _line("beside", beside, top),
        _line("model", model, top),
        *marks,
        f'<text x="{_x(0.5):.0f}" y="{height - 4}" text-anchor="middle">{escape(x_axis)}</text>',
        f'<text transform="translate(11 {_y(top / 2, top):.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_axis)}</text>",
    ]
    return (
        f'<svg viewBox="0 0 {whole} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _x(value: float) -> float:
    return _LEFT + value * _SIZE


def _y(value: float, top: float) -> float:
    return _TOP + (1 - value / top) * _SIZE


def _grid(share: float, top: float) -> str:
    """A line across at a share of the height, and the numbers of both axes there."""
    x, y = _x(share), _y(share * top, top)
    return (
        f'<line x1="{_LEFT}" x2="{_LEFT + _SIZE}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share * top:g}</text>'
        f'<text x="{x:.1f}" y="{_TOP + _SIZE + 18}" text-anchor="middle">{share:g}</text>'
    )


def _line(kind: str, points: Points, top: float) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y, top):.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'
