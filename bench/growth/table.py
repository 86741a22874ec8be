"""A part's figures as a table with what follows from them, for a terminal and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

GIB = 2**30


@dataclass(frozen=True)
class Bar:
    """What a ratio is held to: at most so much. None was measured where a run failed."""

    text: str
    measured: float | None
    most: float

    @property
    def met(self) -> bool:
        return self.measured is not None and self.measured <= self.most

    def __str__(self) -> str:
        told = "not measured" if self.measured is None else f"{self.measured:.3f}"
        return f"{self.text}: {told}; at most {self.most}: {'met' if self.met else 'NOT MET'}"


@dataclass(frozen=True)
class Figures:
    """A table of texts; `notes` are sentences below it. It is not `complete` where something failed."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    bars: Sequence[Bar] = ()
    complete: bool = True

    @property
    def met(self) -> bool:
        """Whether all was measured, and every bar is met."""
        return self.complete and all(bar.met for bar in self.bars)

    def show(self, console: Console) -> None:
        """Prints the table for a person."""
        table = Table(title=self.title, title_justify="left")
        for number, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*map(Text, row))
        console.print(table)
        for line in (*self.notes, *map(str, self.bars)):
            console.print(line, markup=False)

    def markdown(self) -> str:
        """The same in Markdown."""
        marks = ("---", *("---:" for _ in self.headings[1:]))
        rows = ([cell.replace("|", "\\|") for cell in row] for row in self.rows)
        table = "\n".join(f"| {' | '.join(row)} |" for row in (self.headings, marks, *rows))
        said = "\n".join(f"- {line}" for line in (*self.notes, *map(str, self.bars)))
        return f"### {self.title}\n\n{table}\n\n{said}\n"
