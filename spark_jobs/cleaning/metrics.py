"""Counts rows per file, status and rule while they pass, without a scan of their own."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from spark_jobs.cleaning.rules import Rule, tell_broken

VALID, REJECTED, _ = STATUSES = "valid", "rejected", "duplicate"
SLICE = 10  # rules that are counted together, by their combinations
PARTS = 8  # of the names of new columns, each collected by itself


@dataclass(frozen=True)
class Counts:
    """Rows of one file. Promised: read = valid + rejected + duplicate."""

    read: int
    valid: int
    rejected: int
    duplicate: int


class Read:
    """What is counted of the rows of so many files as they are read, each layout by observations of its own.

    Counted before anything is made of a row, where a row is small.
    """

    def __init__(self, files: int) -> None:
        self._files = files
        self._rows: list[Observation] = []
        self._keys: list[Observation] = []

    def rows(self, lines: DataFrame, is_row: Col) -> DataFrame:
        """The lines that are rows, without size; counts them by file, and the bytes of all lines."""
        self._rows.append(Observation())
        # Made beforehand, because Spark interprets what stands inside a histogram, line by line.
        counted = lines.withColumn("row__", F.when(is_row, F.col("file__").cast("double")))
        return (
            counted.observe(
                self._rows[-1],
                F.coalesce(F.sum("size__"), F.lit(0)).alias("bytes"),
                _histogram(F.col("row__"), self._files).alias("rows"),
            )
            .where("row__ IS NOT NULL")
            .drop("row__", "size__")
        )

    def keys(self, rows: DataFrame, keys: Col) -> DataFrame:
        """The rows; collects the names of new columns, where each row has its own."""
        self._keys.append(Observation())
        # Rows that bring some of 30 names each can have millions of combinations of them all, but few of the
        # names of one part. Keys are made beforehand, because Spark interprets what an observation has in it.
        rows = rows.withColumn("keys__", keys)
        found = (
            F.to_json(F.collect_set(_part(F.col("keys__"), part))).alias(f"keys{part}")
            for part in range(PARTS)
        )
        return rows.observe(self._keys[-1], *found).drop("keys__")

    @property
    def bytes(self) -> int:
        """The bytes of all lines; those that Spark skipped are missing."""
        return sum(observation.get.get("bytes", 0) for observation in self._rows)

    @property
    def rows_by_file(self) -> Counter[int]:
        """Rows by the number of their file."""
        return sum((_bins(observation.get.get("rows")) for observation in self._rows), Counter())

    @property
    def keys_by_file(self) -> dict[int, set[str]]:
        """Names of new columns that rows name themselves, by the number of their file."""
        found: dict[int, set[str]] = defaultdict(set)
        for observation in self._keys:
            for part in observation.get.values():
                for row in json.loads(part):
                    found[row["file__"]].update(row["keys"])
        return found


class Written:
    """What is counted of the rows of so many files once they are judged, on their way to be written."""

    def __init__(self, files: int, rules: list[Rule]) -> None:
        self._files, self._rules, self._rows = files, rules, Observation()

    def rows(self, rows: DataFrame) -> DataFrame:
        """Judged rows; counts them by file and whether they are rejected, and by file and broken rule."""
        # Made beforehand, as in Read.
        counted = rows.withColumn("place__", F.col("file__") * 2.0 + F.col("rejected__").cast("int"))
        return counted.observe(
            self._rows,
            _histogram(F.col("place__"), self._files * 2).alias("rows"),
            *(
                _histogram(_combination(rules), self._files << SLICE).alias(f"broken{first}")
                for first, rules in self._slices()
            ),
        ).drop("place__")

    @property
    def rows_by_file(self) -> Counter[tuple[int, bool]]:
        """Rows by the number of their file and whether they are rejected."""
        bins = _bins(self._rows.get.get("rows"))
        return Counter({(place // 2, bool(place % 2)): rows for place, rows in bins.items()})

    @property
    def broken_by_file(self) -> dict[int, Counter[int]]:
        """By the number of a file, its rows by the number of the rule that they break."""
        found: dict[int, Counter[int]] = defaultdict(Counter)
        observed = self._rows.get
        for first, rules in self._slices():
            for place, count in _bins(observed.get(f"broken{first}")).items():
                file, combination = divmod(place, 1 << SLICE)
                for bit in range(len(rules)):
                    if combination >> bit & 1:
                        found[file][first + bit] += count
        return found

    def _slices(self) -> Iterator[tuple[int, list[Rule]]]:
        for first in range(0, len(self._rules), SLICE):
            yield first, self._rules[first : first + SLICE]


class Marked:
    """What is counted of the rows that mark duplicates, of so many files."""

    def __init__(self, files: int) -> None:
        self._files, self._rows = files, Observation()

    def rows(self, marks: DataFrame) -> DataFrame:
        """The marks; counts them by file."""
        # Made beforehand, as in Read.
        counted = marks.withColumn("place__", F.col("file__").cast("double"))
        bins = _histogram(F.col("place__"), self._files).alias("rows")
        return counted.observe(self._rows, bins).drop("place__")

    @property
    def rows_by_file(self) -> Counter[int]:
        """Marks by the number of their file."""
        return _bins(self._rows.get.get("rows"))


def file_counts(read: Read, written: Written, duplicates: Counter[int], files: int) -> list[Counts]:
    """The counts of each file by its number: of rows as they were read and as they were judged, which know
    nothing of each other, and of the duplicates among the written ones.
    """
    rows, left = read.rows_by_file, written.rows_by_file

    def counts(file: int) -> Counts:
        return Counts(rows[file], left[file, False] - duplicates[file], left[file, True], duplicates[file])

    return [counts(file) for file in range(files)]


def _combination(rules: list[Rule]) -> Col:
    """The bin of a file and a combination of rules; null for a row that breaks none at all."""

    def combined(broken: dict[int, Col]) -> Col:
        bits = (F.when(is_broken, F.lit(1 << bit)).otherwise(0) for bit, is_broken in broken.items())
        return reduce(Col.__add__, bits, F.col("file__") * (1 << SLICE))

    return F.when(F.col("texts__").isNotNull(), tell_broken(rules, combined))


def _part(keys: Col, part: int) -> Col:
    """A row's file and those of its keys that are of this part; null where none can be.

    A key's hash tells its part; but one that comes alone, as most do, is of the first.
    """
    of_part = F.filter(keys, lambda key: F.pmod(F.hash(key), F.lit(PARTS)) == part)
    found = F.when(F.size(keys) == 1, keys).otherwise(of_part)
    return F.when(F.size(keys) > (1 if part else 0), F.struct("file__", found.alias("keys")))


def _histogram(place: Col, bins: int) -> Col:
    # With room for every distinct value, histogram_numeric joins bins of equal values only, so its counts
    # are exact; it is the one built-in aggregate that counts by group inside an observation. It wants two
    # bins. Of integers it would cut a bin's mean, so that 90.99… became 90.
    return F.to_json(F.histogram_numeric(place.cast("double"), F.lit(max(2, bins))))


def _bins(histogram: str | None) -> Counter[int]:
    counts: Counter[int] = Counter()
    for item in json.loads(histogram or "[]"):
        counts[round(item["x"])] += round(item["y"])  # partitions that met bring a bin each
    return counts
