"""Charts as inline SVG: shapes and text that need no script and no other file.

Text keeps its size on every screen: x is in percent of the width, y in pixels, and only paths are stretched.
Colours are classes of the page's style sheet. Whatever text is given is escaped.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from markupsafe import Markup

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUARTERS = (1, 4, 7, 10)

_BASE, _TOP, _HEIGHT = 226, 16, 250  # of the line chart: zero, highest tick, all
_WIDTH = 1000  # of a stretched path's own coordinates
_ROW, _SHADES = 26, 5  # of the heat map, and of its legend


def line_chart(
    days: Sequence[tuple[date, float]], title: str, description: str, text: Callable[[float], str]
) -> Markup:
    """Values by day as a faint line, their mean over seven days as a strong one, and a tooltip a day."""
    first, span = days[0][0], max((days[-1][0] - days[0][0]).days, 1)
    ticks = _ticks(max(value for _, value in days))
    at = [(day - first).days / span for day, _ in days]

    def y(value: float) -> float:
        return _BASE - max(value, 0.0) / ticks[-1] * (_BASE - _TOP)

    daily = _path(at, [y(value) for _, value in days])
    whole = min(6, len(days) - 1)  # the first day whose mean is over seven
    means = _trailing_means([value for _, value in days])[whole:]
    weekly = _path(at[whole:], [y(value) for value in means])
    grid = [
        Markup('<line class="grid{1}" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>').format(
            y(tick), "" if tick else " zero"
        )
        for tick in ticks
    ]
    scale = [
        Markup('<text class="left" x="-8" y="{:.1f}">{}</text>').format(y(tick) + 4, _short(tick))
        for tick in ticks
    ]
    tips = [
        Markup(
            '<rect class="tip" x="{:.2f}%" width="{:.2f}%" height="{}">'
            "<title>{:%a} {} {:%b %Y}: {}</title></rect>"
        ).format(100 * x, 100 / span, _HEIGHT, day, day.day, day, text(value))
        for x, (day, value) in zip(at, days, strict=True)
    ]
    plot = Markup(
        '<svg class="plot" width="100%" height="{0}" viewBox="0 0 {1} {0}" preserveAspectRatio="none">'
        '<path class="area" d="{2}V{3}H{4:.1f}Z"/><path class="daily" d="{5}"/>'
        '<path class="weekly" d="{2}"/></svg>'
    ).format(_HEIGHT, _WIDTH, weekly, _BASE, at[whole] * _WIDTH, daily)
    return _figure(_HEIGHT, title, description, [*grid, plot, *scale, *_months(first, days[-1][0]), *tips])


def heat_map(
    cells: Mapping[tuple[int, int], int], title: str, description: str, text: Callable[[int, int, int], str]
) -> Markup:
    """A value for each (weekday, hour), darker where higher; weekday 0 is Monday, and no cell means zero."""
    highest = max(cells.values())
    shapes = [
        Markup('<text class="left" x="-8" y="{}">{}</text>').format(weekday * _ROW + 17, name[:3])
        for weekday, name in enumerate(WEEKDAYS)
    ]
    for weekday in range(7):
        for hour in range(24):
            value = cells.get((weekday, hour), 0)
            shapes.append(
                Markup(
                    '<rect class="cell" x="{:.3f}%" y="{}" width="{:.3f}%" height="{}" rx="4"'
                    ' fill-opacity="{:.3f}"><title>{}</title></rect>'
                ).format(
                    hour / 0.24,
                    weekday * _ROW,
                    1 / 0.24,
                    _ROW,
                    _shade(value, highest),
                    text(weekday, hour, value),
                )
            )
    shapes += [
        Markup('<text x="{:.3f}%" y="{}">{}</text>').format(hour / 0.24, 7 * _ROW + 17, hour_name(hour))
        for hour in range(0, 24, 6)
    ]
    return _figure(7 * _ROW + 22, title, description, shapes, "chart heat")


def ramp() -> Markup:
    """The heat map's shades from lowest to highest, for its legend."""
    cells = [
        Markup('<rect class="cell" x="{}" width="20" height="14" rx="3" fill-opacity="{:.2f}"/>').format(
            step * 20, _shade(step, _SHADES - 1)
        )
        for step in range(_SHADES)
    ]
    return Markup('<svg aria-hidden="true" width="{}" height="14">{}</svg>').format(
        _SHADES * 20, Markup("").join(cells)
    )


def bar(share: float, second: float | None = None) -> Markup:
    """A bar as long as its share of the width, a quieter one below if given; only ever beside its number."""
    first = Markup('<rect class="bar" width="{:.2f}%" height="8" rx="2"/>').format(_percent(share))
    below = (
        Markup("")
        if second is None
        else Markup('<rect class="quiet" y="10" width="{:.2f}%" height="5" rx="2"/>').format(_percent(second))
    )
    return Markup('<svg class="bars" aria-hidden="true" width="100%" height="{}">{}{}</svg>').format(
        8 if second is None else 15, first, below
    )


def sparkline(values: Sequence[float]) -> Markup:
    """The course of a value without scale or words; only ever beside its number."""
    low, high = min(values), max(values)
    heights = [30 - 26 * (value - low) / ((high - low) or 1) for value in values]
    at = [index / max(len(values) - 1, 1) for index in range(len(values))]
    return Markup(
        '<svg class="spark" aria-hidden="true" width="100%" height="34" viewBox="0 0 {} 34"'
        ' preserveAspectRatio="none"><path class="weekly" d="{}"/></svg>'
    ).format(_WIDTH, _path(at, heights))


def hour_name(hour: int) -> str:
    """An hour of the day as a shop's door says it."""
    return {0: "midnight", 12: "noon"}.get(hour, f"{hour % 12} {'am' if hour < 12 else 'pm'}")


def _figure(
    height: int, title: str, description: str, shapes: Sequence[Markup], kind: str = "chart"
) -> Markup:
    return Markup(
        '<svg class="{}" role="img" width="100%" height="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(kind, height, title, description, Markup("").join(shapes))


def _short(value: float) -> str:
    """Dollars that fit beside an axis."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"${value / size:g}{letter}"
    return f"${value:g}"


def _ticks(highest: float) -> list[float]:
    """From zero in steps of 1, 2 or 5 times a power of ten, to the first that reaches the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10 ** math.floor(math.log10(highest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if highest / (factor * power) <= 5)
    return [step * index for index in range(math.ceil(highest / step) + 1)]


def _trailing_means(values: Sequence[float]) -> list[float]:
    parts = [values[max(0, end - 7) : end] for end in range(1, len(values) + 1)]
    return [sum(part) / len(part) for part in parts]


def _months(first: date, last: date) -> list[Markup]:
    """Names of the months that begin between two dates; a phone hides those that begin no quarter."""
    span = max((last - first).days, 1)
    starts = [
        date(year, month, 1)
        for year in range(first.year, last.year + 1)
        for month in range(1, 13)
        if first <= date(year, month, 1) <= last
    ]
    # A name that begins close to the right edge would be cut off.
    return [
        Markup('<text class="{}" x="{:.2f}%" y="{}">{:%b}</text>').format(
            "month" if start.month in QUARTERS else "month minor", 100 * at, _HEIGHT - 4, start
        )
        for start in starts
        if (at := (start - first).days / span) < 0.95
    ]


def _path(at: Sequence[float], heights: Sequence[float]) -> str:
    """An SVG path; of a single point, a dot (a line of no length with round ends)."""
    points = [f"{x * _WIDTH:.1f},{y:.1f}" for x, y in zip(at, heights, strict=True)]
    return f"M{points[0]}L{' '.join(points[1:] or points)}"


def _shade(value: float, highest: float) -> float:
    # Zero stays faintly visible, so that the grid reads as a grid.
    return 0.05 + 0.95 * max(value, 0) / highest if highest > 0 else 0.05


def _percent(share: float) -> float:
    return 100 * min(max(share, 0.0), 1.0)
