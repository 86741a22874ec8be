"""Counts rows per file, status and rule while they pass, without a scan of their own."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from spark_jobs.cleaning.verdicts import DUPLICATE, REJECTED, VALID

STATUSES = (VALID, REJECTED, DUPLICATE)
SLICE = 10  # rules that are counted together, by their combinations


@dataclass(frozen=True)
class Counts:
    """Rows of one file. Promised: read = valid + rejected + duplicate."""

    read: int
    valid: int
    rejected: int
    duplicate: int


@dataclass(frozen=True)
class ReadCounts:
    """What was counted on the way in: bytes, and by the number of a file its rows, its rows by the number of
    the rule that they break, and the names of new columns where rows name their own.
    """

    bytes: int
    rows: Counter[int]
    broken: dict[int, Counter[int]]
    keys: dict[int, set[str]]


def observe_read(rows: DataFrame, rules: int, files: int, named: bool, observation: Observation) -> DataFrame:
    """Counts judged rows by file and by the rules (so many) that they break; adds up bytes. Where rows name
    their columns (`named`), collects the new names.
    """
    # Made beforehand, because Spark interprets what stands inside a histogram, row by row.
    counted = rows.withColumn("read_bin__", _bin(F.when(F.col("is_row__"), F.col("file__"))))
    new_keys = F.when(F.col("keys__").isNotNull(), F.struct("file__", "keys__"))
    return counted.observe(
        observation,
        F.coalesce(F.sum("size__"), F.lit(0)).alias("bytes"),
        _histogram(F.col("read_bin__"), files).alias("read"),
        *(
            _histogram(_combination(first), files << SLICE).alias(f"broken{first}")
            for first in range(0, rules, SLICE)
        ),
        *([F.to_json(F.collect_set(new_keys)).alias("keys")] if named else []),
    ).drop("read_bin__")


def observe_written(rows: DataFrame, files: int, observation: Observation) -> DataFrame:
    """Counts rows with a verdict by file and status, as they are written."""
    told = F.get_json_object("verdict__", "$.status")
    status = F.when(F.col("verdict__").isNull() | (told == VALID), 0).when(told == REJECTED, 1).otherwise(2)
    written = _histogram(_bin(F.col("file__") * len(STATUSES) + status), files * len(STATUSES))
    return rows.observe(observation, written.alias("written"))


def read_counts(observation: Observation, rules: int) -> ReadCounts:
    """What observe_read counted."""
    found = observation.get  # asks Spark anew each time
    broken: dict[int, Counter[int]] = defaultdict(Counter)
    for first in range(0, rules, SLICE):
        for place, rows in _bins(found.get(f"broken{first}")).items():
            file, combination = divmod(place, 1 << SLICE)
            for bit in range(SLICE):
                if combination >> bit & 1:
                    broken[file][first + bit] += rows
    keys: dict[int, set[str]] = defaultdict(set)
    for row in json.loads(found.get("keys", "[]")):
        keys[row["file__"]].update(row["keys__"])
    return ReadCounts(found.get("bytes", 0), _bins(found.get("read")), broken, keys)


def written_counts(observation: Observation) -> Counter[int]:
    """What observe_written counted: rows by their file's number times the number of statuses, plus theirs."""
    return _bins(observation.get.get("written"))


def file_counts(read: ReadCounts, written: Counter[int], files: int) -> list[Counts]:
    """The counts of each file by its number, from two observations that know nothing of each other."""
    return [
        Counts(read.rows[file], *(written[file * len(STATUSES) + i] for i in range(len(STATUSES))))
        for file in range(files)
    ]


def _combination(first: int) -> Col:
    """The bin of a file and a combination of SLICE rules; null for a row that breaks none at all."""
    numbers = F.filter("broken__", lambda number: (number >= first) & (number < first + SLICE))
    bits = F.aggregate(numbers, F.lit(0.0), lambda bits, number: bits + F.pow(F.lit(2.0), number - first))
    return F.when(F.col("broken__").isNotNull(), F.col("file__") * (1 << SLICE) + bits)


def _bin(place: Col) -> Col:
    # Of integers, histogram_numeric would cut a bin's mean, so that 90.99… became 90.
    return place.cast("double")


def _histogram(place: Col, bins: int) -> Col:
    # With room for every distinct value, histogram_numeric joins bins of equal values only, so its counts are
    # exact; it is the one built-in aggregate that counts by group inside an observation. It wants two bins.
    return F.to_json(F.histogram_numeric(place, F.lit(max(2, bins))))


def _bins(histogram: str | None) -> Counter[int]:
    counts: Counter[int] = Counter()
    for item in json.loads(histogram or "[]"):
        counts[round(item["x"])] += round(item["y"])  # partitions that met bring a bin each
    return counts
