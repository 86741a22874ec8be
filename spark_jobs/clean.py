"""Cleans the files of a run by their contract: reads, cleans, writes rows, ledger lines and metrics."""

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import Contract, parse_contract
from medallion.errors import MedallionError
from medallion.hadoop_files import read_bytes, write_bytes
from medallion.manifest import Manifest, SourceFile, run_id
from spark_jobs.cleaning.files import Inspection, inspect
from spark_jobs.cleaning.metrics import Counts, file_counts, observe_read, observe_written, rule_counts
from spark_jobs.cleaning.rows import check, deduplicate, read_texts, small_table
from spark_jobs.cleaning.rules import SHAPE, derived_rules, read_rules

log = logging.getLogger("clean")


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = _session()
    manifest = _manifest(spark, arguments)
    metrics = clean(spark, manifest)
    log.info("product=%s run=%s step=clean %s", manifest.product, manifest.run, metrics["rows"])


def clean(spark: SparkSession, manifest: Manifest) -> dict[str, Any]:
    """Cleans a manifest's files; returns what it writes to metrics.json, which comes last.

    Leaves rows/ (Parquet: the contract's columns, row_hash, source_file, source_generation, status,
    reasons, raw), files.jsonl (a ledger line for each file) and metrics.json under the manifest's output.
    """
    contract = parse_contract(manifest.contract, f"contract of run {manifest.run}")
    inspections = inspect(spark, manifest.files, contract)
    usable = [(number, found) for number, found in enumerate(inspections) if found.reason is None]
    rules = [(rule.column, rule.name) for rule in [*read_rules(contract), *derived_rules(contract)]]
    rules.append(("", SHAPE))

    read, written = Observation(), Observation()
    texts = observe_read(read_texts(spark, usable, contract), len(inspections), read)
    rows = deduplicate(check(texts, contract), contract)
    rows = observe_written(rows, len(inspections), rules, written)
    _with_source(spark, rows, manifest, contract).write.mode("overwrite").parquet(f"{manifest.output}/rows")

    counts = file_counts(read, written, len(inspections))
    _require_balance(inspections, counts)
    files = [_ledger_line(found, count) for found, count in zip(inspections, counts, strict=True)]
    metrics = _metrics(manifest, contract, files, rule_counts(written, rules))
    lines = "".join(json.dumps(line) + "\n" for line in files)
    write_bytes(spark, f"{manifest.output}/files.jsonl", lines.encode(), overwrite=True)
    document = json.dumps(metrics, indent=1).encode()
    write_bytes(spark, f"{manifest.output}/metrics.json", document, overwrite=True)
    return metrics


def _require_balance(inspections: list[Inspection], counts: list[Counts]) -> None:
    """A job that is not sure of its counts fails, so that it is tried again; see Counts."""
    for found, count in zip(inspections, counts, strict=True):
        if count.read != count.valid + count.rejected + count.duplicate:
            raise MedallionError(
                f"{found.file.uri}: expected read = valid + rejected + duplicate, got {count}. "
                "Next: run the job again; a lost executor can count a task's rows twice."
            )


def _with_source(spark: SparkSession, rows: DataFrame, manifest: Manifest, contract: Contract) -> DataFrame:
    """Files' names instead of their numbers, and columns in the order of sql/pipeline/stage.sql."""
    sources = [(number, file.uri, file.generation) for number, file in enumerate(manifest.files)]
    files = small_table(spark, sources, "file INT, source_file STRING, source_generation BIGINT")
    names = [column.name for column in contract.columns]
    return rows.join(F.broadcast(files), "file").select(
        *names, "row_hash", "source_file", "source_generation", "status", "reasons", "raw"
    )


def _ledger_line(found: Inspection, counts: Counts) -> dict[str, Any]:
    return {
        **asdict(found.file),
        "state": "accepted" if found.reason is None else "rejected",
        "reason": found.reason,
        **{f"rows_{status}": rows for status, rows in asdict(counts).items()},
    }


def _metrics(
    manifest: Manifest, contract: Contract, files: list[dict[str, Any]], rules: list[dict[str, str | int]]
) -> dict[str, Any]:
    statuses = Counts.__dataclass_fields__
    return {
        "product": manifest.product,
        "run": manifest.run,
        "contract_version": contract.version,
        "rows": {status: sum(line[f"rows_{status}"] for line in files) for status in statuses},
        "rules": rules,
        "files": files,
    }


def _manifest(spark: SparkSession, arguments: argparse.Namespace) -> Manifest:
    if arguments.manifest:
        return Manifest.from_json(read_bytes(spark, arguments.manifest))
    document = yaml.safe_load(arguments.contract.read_text(encoding="utf-8"))
    contract = parse_contract(document, str(arguments.contract))
    files = tuple(
        SourceFile(str(path.resolve()), generation=0, size=path.stat().st_size, checksum="")
        for path in sorted(arguments.input)
    )
    run = run_id(contract.name, contract.fingerprint, "local", files)
    output = str(arguments.output.resolve())
    return Manifest(contract.name, run, "local", document, files, output)


def _session() -> SparkSession:
    return (
        SparkSession.builder.appName("clean")
        # Timestamps are UTC everywhere; a contract names the timezone of its texts.
        .config("spark.sql.session.timeZone", "UTC")
        # The default fails the job for a text that Spark 2 took for a time, such as '2017-1-1 1:02:03'.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        # A cast that fails is a broken rule of its row, not the end of the job.
        .config("spark.sql.ansi.enabled", "false")
        # A task for each path, the default, costs more than listing it.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "64")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        # The default fails the job for a time before 1900.
        .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
        .getOrCreate()
    )


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", help="URI of a run's manifest; or, without the platform:")
    parser.add_argument("--contract", type=Path, help="a contract's YAML file")
    parser.add_argument("--input", type=Path, nargs="+", help="files to clean")
    parser.add_argument("--output", type=Path, help="folder for the result")
    arguments = parser.parse_args(argv)
    if not arguments.manifest and not (arguments.contract and arguments.input and arguments.output):
        parser.error("give --manifest, or --contract with --input and --output")
    return arguments


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
