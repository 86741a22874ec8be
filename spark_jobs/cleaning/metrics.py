"""Counts rows per file, status and rule while they pass, without a scan of their own."""

import json
from collections import Counter
from dataclasses import dataclass

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from spark_jobs.cleaning.rows import DUPLICATE, REJECTED, VALID

STATUSES = (VALID, REJECTED, DUPLICATE)


@dataclass(frozen=True)
class Counts:
    """Rows of one file. Promised: read = valid + rejected + duplicate."""

    read: int
    valid: int
    rejected: int
    duplicate: int


def observe_read(texts: DataFrame, files: int, observation: Observation) -> DataFrame:
    """Counts the rows of each file as they are read."""
    return texts.observe(observation, _histogram(F.col("file"), files).alias("read"))


def observe_written(
    rows: DataFrame, files: int, rules: list[tuple[str, str]], observation: Observation
) -> DataFrame:
    """Counts rows by file and status as they are written, and rejected ones by (column, rule)."""
    status = F.when(F.col("status") == VALID, 0).when(F.col("status") == REJECTED, 1).otherwise(2)
    code = F.col("file") * len(STATUSES) + status
    return rows.observe(
        observation,
        _histogram(code, files * len(STATUSES)).alias("written"),
        *(F.count_if(_breaks(column, rule)).alias(f"{column}:{rule}") for column, rule in rules),
    )


def file_counts(read: Observation, written: Observation, files: int) -> list[Counts]:
    """The counts of each file by its number, from two observations that know nothing of each other."""
    by_file, by_status = _bins(read.get.get("read")), _bins(written.get.get("written"))
    return [
        Counts(by_file[file], *(by_status[file * len(STATUSES) + i] for i in range(len(STATUSES))))
        for file in range(files)
    ]


def rule_counts(written: Observation, rules: list[tuple[str, str]]) -> list[dict[str, str | int]]:
    """How many rows broke each rule, for the rules that any row broke."""
    counted = [(column, rule, written.get.get(f"{column}:{rule}")) for column, rule in rules]
    return [{"column": column, "rule": rule, "rows": rows} for column, rule, rows in counted if rows]


def _breaks(column: str, rule: str) -> Col:
    return F.exists("reasons", lambda reason: (reason["column"] == column) & (reason["rule"] == rule))


def _histogram(value: Col, bins: int) -> Col:
    # With room for every distinct value, histogram_numeric joins bins of equal values only, so its counts are
    # exact; it is the one built-in aggregate that counts by group inside an observation. It wants two bins.
    # Of integers it would cut a bin's mean, so that 90.99… became 90.
    return F.to_json(F.histogram_numeric(value.cast("double"), F.lit(max(2, bins))))


def _bins(histogram: str | None) -> Counter[int]:
    counts: Counter[int] = Counter()
    for item in json.loads(histogram or "[]"):
        counts[round(item["x"])] += round(item["y"])  # partitions that met bring a bin each
    return counts
