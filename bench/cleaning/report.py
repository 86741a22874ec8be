"""Puts measurements into tables, for the terminal and as Markdown."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cleaning.machine import named

HEADINGS = (
    "Contender",
    "Seconds",
    "Least to most",
    "Times copy",
    "Rows a second",
    "Peak memory",
    "What it left",
)
TEXTS = ("Contender", "What it left")  # the other columns are numbers


@dataclass(frozen=True)
class Measurement:
    """One run of a contender and what its check said, or why it could not run; `versions` of its engines."""

    contender: str
    title: str
    seconds: float = 0
    peak_bytes: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    said: str = ""
    failure: str | None = None


@dataclass(frozen=True)
class Scale:
    """The measurements at one scale, which is a number of years, with the size of their input."""

    years: int
    files: int
    rows: int
    input_bytes: int
    measurements: tuple[Measurement, ...]

    @property
    def title(self) -> str:
        """The scale in a line."""
        size = f"{self.rows:,} rows in {self.files} files, {self.input_bytes / 1e6:,.0f} MB of CSV"
        return f"{self.years}x: {size}"


def print_scale(console: Console, scale: Scale) -> None:
    """Prints a scale for a person."""
    table = Table(title=scale.title, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in TEXTS else "right")
    for line in lines(scale):
        table.add_row(*line)
    console.print(table)


def markdown(scales: list[Scale], described: dict[str, Any]) -> str:
    """All scales as Markdown, with the machine and the versions below."""
    parts = []
    for scale in scales:
        marks = tuple("---" if heading in TEXTS else "---:" for heading in HEADINGS)
        rows = "\n".join(f"| {' | '.join(row)} |" for row in (HEADINGS, marks, *lines(scale)))
        parts.append(f"### {scale.title}\n\n{rows}")
    versions = {f"{name} {v}" for s in scales for m in s.measurements for name, v in m.versions.items()}
    parts.append(
        f"{named(described)}; {described['system']}; "
        f"Python {described['python']}; {described['java']}; {', '.join(sorted(versions))}."
    )
    return "\n\n".join(parts) + "\n"


def lines(scale: Scale) -> Iterator[tuple[str, ...]]:
    """A line under HEADINGS for each contender; seconds are medians, and memory is the most of any run."""
    runs = defaultdict(list)
    for measurement in scale.measurements:
        runs[measurement.contender].append(measurement)
    copy = median(run.seconds for run in runs["copy"]) if "copy" in runs else None
    for contender, measured in runs.items():
        name, last = f"{contender}: {measured[0].title}", measured[-1]
        if last.failure:
            yield name, "did not run", "", "", "", "", last.failure
            continue
        seconds = [run.seconds for run in measured]
        yield (
            name,
            f"{median(seconds):.1f}",
            f"{min(seconds):.1f} to {max(seconds):.1f}",
            f"{median(seconds) / copy:.2f}" if copy else "",
            f"{scale.rows / median(seconds):,.0f}",
            f"{max(run.peak_bytes for run in measured) / 2**30:.1f} GiB",
            last.said,
        )
