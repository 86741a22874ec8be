"""Who is measured, at which scales, how often, and how far each must agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.cleaning import agreement
from bench.cleaning.agreement import Check


@dataclass(frozen=True)
class Contender:
    """A way of cleaning: a module of contenders/, the virtual environment that it runs in, and its check."""

    name: str
    module: str
    title: str
    check: Check
    environment: str = "bench"
    may_fail: bool = False  # where a machine can't run it, the table says so


@dataclass(frozen=True)
class Plan:
    """The measurements at one scale, which is a number of the sample's years."""

    years: int
    rounds: int
    contenders: tuple[Contender, ...]


# In the order of a round: what others are compared with comes before them.
CONTENDERS = (
    Contender("copy", "copy", "bare copy, CSV to Parquet", agreement.holds_every_row),
    Contender("clean", "ours", "our job", agreement.is_as_expected),
    Contender("clean-keep", "ours_keep", "our job, duplicates kept", agreement.keeps_duplicates),
    Contender("velox", "velox", "our job on Velox", agreement.has_the_same_hashes, "velox", may_fail=True),
    Contender("duckdb", "duckdb_clean", "DuckDB, the same rules", agreement.is_the_same),
    Contender("dqx", "dqx", "DQX, the same rules", agreement.tells_difference),
    Contender("usual", "usual", "the usual way", agreement.tells_difference),
)
NAMES = tuple(contender.name for contender in CONTENDERS)
SCALES = (1, 8, 32)
LARGE = 32  # from here on our job only, and fewer times
LARGE_NAMES = ("clean", "clean-keep")


def plans(scales: Sequence[int], rounds: int | None, only: Sequence[str]) -> list[Plan]:
    """The plan of each scale; `rounds` and `only` take the place of what a scale has by itself."""
    return [
        Plan(
            years,
            rounds or (3 if years >= LARGE else 5),
            tuple(c for c in CONTENDERS if c.name in (only or (LARGE_NAMES if years >= LARGE else NAMES))),
        )
        for years in scales
    ]
