"""Counts rows per file, status and rule while they pass, without a scan of their own."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.rows import DUPLICATE, REJECTED, VALID
from spark_jobs.cleaning.verdicts import broken_rules

STATUSES = (VALID, REJECTED, DUPLICATE)


@dataclass(frozen=True)
class Counts:
    """Rows of one file. Promised: read = valid + rejected + duplicate."""

    read: int
    valid: int
    rejected: int
    duplicate: int


def observe_read(rows: DataFrame, contract: Contract, files: int, observation: Observation) -> DataFrame:
    """Counts judged rows by file and by rule, and texts of another type; adds up bytes, collects new keys."""
    columns = contract.read_columns
    rules = list(broken_rules(contract))
    mistyped = F.coalesce(
        *(
            F.when(breaks, place)
            for place, column in enumerate(columns)
            for rule, breaks in rules
            if (rule.column, rule.name) == (column.name, "type")
        ),
        F.lit(None).cast("int"),
    )
    first_mistyped = F.when(F.col("rejected"), F.col("file") * len(columns) + mistyped)
    new_keys = F.when(F.col("keys").isNotNull(), F.struct("file", "keys"))
    counted = _with_bins(rows, read_bin=F.when(F.col("is_row"), F.col("file")), mistyped_bin=first_mistyped)
    return counted.observe(
        observation,
        _histogram("read_bin", files).alias("read"),
        F.coalesce(F.sum("size"), F.lit(0)).alias("bytes"),
        _histogram("mistyped_bin", files * len(columns)).alias("mistyped"),
        F.to_json(F.collect_set(new_keys)).alias("keys"),
        *(F.count_if(breaks).alias(f"rule{number}") for number, (_, breaks) in enumerate(rules)),
    ).drop("read_bin", "mistyped_bin")


def observe_written(rows: DataFrame, files: int, observation: Observation) -> DataFrame:
    """Counts rows by file and status as they are written."""
    status = F.when(F.col("status") == VALID, 0).when(F.col("status") == REJECTED, 1).otherwise(2)
    counted = _with_bins(rows, written_bin=F.col("file") * len(STATUSES) + status)
    written = _histogram("written_bin", files * len(STATUSES)).alias("written")
    return counted.observe(observation, written).drop("written_bin")


def file_counts(read: Observation, written: Observation, files: int) -> list[Counts]:
    """The counts of each file by its number, from two observations that know nothing of each other."""
    by_file, by_status = _bins(read.get.get("read")), _bins(written.get.get("written"))
    return [
        Counts(by_file[file], *(by_status[file * len(STATUSES) + i] for i in range(len(STATUSES))))
        for file in range(files)
    ]


def rule_counts(read: Observation, contract: Contract) -> list[dict[str, Any]]:
    """How many rows broke each rule, for the rules that any row broke."""
    rules = enumerate(broken_rules(contract))
    counted = [(rule, read.get.get(f"rule{number}")) for number, (rule, _) in rules]
    return [
        {"column": rule.column, "rule": rule.name, "severity": rule.severity, "rows": rows}
        for rule, rows in counted
        if rows
    ]


def mistyped_counts(read: Observation, contract: Contract) -> dict[tuple[int, str], int]:
    """Rows by file and by the first of their columns whose text is of another type."""
    columns = contract.read_columns
    return {
        (code // len(columns), columns[code % len(columns)].name): rows
        for code, rows in _bins(read.get.get("mistyped")).items()
    }


def keys_found(read: Observation) -> dict[int, set[str]]:
    """Names of new columns by file, where rows name their own."""
    found: dict[int, set[str]] = {}
    for row in json.loads(read.get.get("keys", "[]")):
        found.setdefault(row["file"], set()).update(row["keys"])
    return found


def _with_bins(rows: DataFrame, **bins: Col) -> DataFrame:
    """Adds the bins that histograms count; Spark interprets what stands inside a histogram, row by row."""
    # Of integers, histogram_numeric would cut a bin's mean, so that 90.99… became 90.
    return rows.withColumns({name: place.cast("double") for name, place in bins.items()})


def _histogram(name: str, bins: int) -> Col:
    # With room for every distinct value, histogram_numeric joins bins of equal values only, so its counts are
    # exact; it is the one built-in aggregate that counts by group inside an observation. It wants two bins.
    return F.to_json(F.histogram_numeric(name, F.lit(max(2, bins))))


def _bins(histogram: str | None) -> Counter[int]:
    counts: Counter[int] = Counter()
    for item in json.loads(histogram or "[]"):
        counts[round(item["x"])] += round(item["y"])  # partitions that met bring a bin each
    return counts
