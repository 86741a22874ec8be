"""Cleans the files of a run by their contract: reads, cleans, writes rows, ledger lines and metrics."""

import argparse
import json
import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from py4j.java_gateway import java_import
from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from medallion.contracts import HASH, MAX_LINE_BYTES, Contract
from medallion.documents import read_yaml
from medallion.errors import MedallionError
from medallion.hadoop_files import read_bytes, write_bytes
from medallion.manifest import Manifest, SourceFile, run_id
from medallion.odcs import parse_contract
from spark_jobs.cleaning import account
from spark_jobs.cleaning.account import Json
from spark_jobs.cleaning.damage import damaged
from spark_jobs.cleaning.duplicates import mark_duplicates
from spark_jobs.cleaning.files import Inspection, inspect, known_layouts
from spark_jobs.cleaning.lines import LINE_LIMIT, Numbered, count_bytes
from spark_jobs.cleaning.metrics import Read, Written, file_counts
from spark_jobs.cleaning.privacy import protect, stored_columns
from spark_jobs.cleaning.reading import read_texts
from spark_jobs.cleaning.rows import identify, look_up, read_values
from spark_jobs.cleaning.rules import Rule
from spark_jobs.cleaning.streams import remove
from spark_jobs.cleaning.verdicts import contract_rules, judge, verdict
from spark_jobs.secrets import read_secret

log = logging.getLogger("clean")

NO_ROWS = "no rows: the file has none"
LONG_METHODS = "-XX:-DontCompileHugeMethods"  # also in the environments and the local cloud


def main(argv: list[str] | None = None) -> None:
    arguments = _arguments(argv)
    spark = _session()
    manifest = _manifest(spark, arguments)
    needed = any(column.protection == HASH for column in _contract(manifest).columns)
    hash_key = read_secret(manifest.hash_key) if manifest.hash_key and needed else None
    metrics = clean(spark, manifest, hash_key, unique=arguments.keep_duplicates)
    log.info("product=%s run=%s step=clean %s", manifest.product, manifest.run, metrics["rows"])


@dataclass(frozen=True)
class Job:
    """What the steps of a run share."""

    spark: SparkSession
    manifest: Manifest
    contract: Contract
    rules: list[Rule]
    hash_key: bytes | None = None

    @property
    def rows(self) -> str:
        """Where the run's rows are written."""
        return f"{self.manifest.output}/rows"


def clean(
    spark: SparkSession, manifest: Manifest, hash_key: bytes | None = None, unique: bool = False
) -> Json:
    """Cleans a manifest's files; returns what it writes to metrics.json, which comes last.

    Where rows are known to be `unique`, duplicates are not looked for.

    Leaves rows/ (Parquet: the contract's stored columns; extra, where it evolves; key_hash and row_hash;
    file__, the number of the row's file; row__, its own; verdict__, null for a valid row; and for each
    duplicate another row, with nothing but its file__ and row__), files.jsonl (a ledger line for each file)
    and metrics.json under the manifest's output.
    """
    contract = _contract(manifest)
    job = Job(spark, manifest, contract, contract_rules(contract), hash_key)
    scratch = f"{manifest.output}/scratch"
    try:
        if manifest.replay:
            found = known_layouts(manifest.files, contract)
        else:
            found = inspect(spark, manifest.files, contract, f"{scratch}/unpacked")
        found, read, written = write_usable(job, found)
        if not manifest.replay:
            found = reject_empty(found, read)
        duplicates = Counter[int]()
        if not unique:
            duplicates = mark_duplicates(spark, job.rows, f"{scratch}/repeated", contract, len(found))
    finally:
        remove(spark, scratch)
    return write_account(job, found, read, written, duplicates)


def write_usable(job: Job, found: list[Inspection]) -> tuple[list[Inspection], Read, Written]:
    """Writes the rows of all usable files, again and again without those of which only reading tells that
    they are not: damaged ones, and those with lines that Spark skips. Returns also what is now known of all.
    """
    while True:
        try:
            read, written = write_rows(job, found)
            reasons = find_long_lines(job.spark, found, read)
        except Py4JJavaError as error:
            reasons = damaged(job.spark, error, found)
            if not reasons:
                raise
        if not reasons:
            return found, read, written
        found = [replace(file, reason=reasons.get(number, file.reason)) for number, file in enumerate(found)]


def write_rows(job: Job, found: list[Inspection]) -> tuple[Read, Written]:
    """Writes the rows of all usable files; returns what was counted on the way in and on the way out."""
    read, written = Read(len(found)), Written(len(found), job.rules)
    rows = clean_rows(job, found, read, written).select(  # in the order of sql/pipeline/stage.sql
        *stored_columns(job.contract),
        *(["extra"] if job.contract.evolves else []),
        "key_hash",
        "row_hash",
        "file__",
        F.monotonically_increasing_id().alias("row__"),
        verdict(job.contract, job.rules).alias("verdict__"),
    )
    # Dictionaries would save a quarter of the room, but these files are read once, and don't stay.
    writer = rows.write.mode("overwrite").option("parquet.enable.dictionary", "false")
    writer.parquet(job.rows)
    return read, written


def clean_rows(job: Job, found: list[Inspection], read: Read, written: Written) -> DataFrame:
    """The rows of all usable files: typed, judged, counted and protected."""
    contract, manifest = job.contract, job.manifest
    texts = read_texts(job.spark, _usable(found), contract, read, manifest.replay)
    rows = look_up(job.spark, read_values(texts, contract), contract, manifest.references)
    rows = judge(rows, contract, job.rules, keep_raw=manifest.replay is not None)
    # Where rows are counted, Spark ends a step. What comes behind it is no part of the longest method.
    rows = written.rows(rows)
    return identify(protect(job.spark, rows, contract, job.hash_key), contract)


def find_long_lines(spark: SparkSession, found: list[Inspection], read: Read) -> dict[int, str]:
    """Reasons for the files with lines that Spark skipped; they are missing from the bytes that it read.

    Only a run that misses some asks for each file's bytes, which is a scan of its own. A file's last line may
    count a byte more than it has; a skipped line counts over a million less.
    """
    counted = {number: file.size for number, file in _usable(found) if file.size is not None}
    if read.bytes >= sum(counted.values()):
        return {}
    sizes = count_bytes(spark, [(number, found[number]) for number in counted])
    reason = f"a line longer than {MAX_LINE_BYTES:,} bytes"
    return {number: reason for number, size in counted.items() if sizes.get(number, 0) < size}


def reject_empty(found: list[Inspection], read: Read) -> list[Inspection]:
    """What is known of all files, once all have been read: one without rows is no version to be published,
    for it would take away what the version before has brought.
    """
    rows = read.rows_by_file
    return [
        file if file.reason or rows[number] else replace(file, reason=NO_ROWS)
        for number, file in enumerate(found)
    ]


def write_account(
    job: Job, found: list[Inspection], read: Read, written: Written, duplicates: Counter[int]
) -> Json:
    """Writes the ledger lines and, last, the metrics."""
    counts, keys = file_counts(read, written, duplicates, len(found)), read.keys_by_file
    account.require_balance(found, counts)
    files = [
        account.ledger_line(number, file, count, job.contract, keys.get(number, ()))
        for number, (file, count) in enumerate(zip(found, counts, strict=True))
    ]
    metrics = account.metrics(job.manifest, job.contract, job.rules, files, written.broken_by_file)
    lines = "".join(json.dumps(line) + "\n" for line in files)
    write_bytes(job.spark, f"{job.manifest.output}/files.jsonl", lines.encode(), overwrite=True)
    document = json.dumps(metrics, indent=1).encode()
    write_bytes(job.spark, f"{job.manifest.output}/metrics.json", document, overwrite=True)
    return metrics


def _usable(found: list[Inspection]) -> Numbered:
    return [(number, file) for number, file in enumerate(found) if file.reason is None]


def _contract(manifest: Manifest) -> Contract:
    return parse_contract(manifest.contract, f"contract of run {manifest.run}")


def _manifest(spark: SparkSession, arguments: argparse.Namespace) -> Manifest:
    if arguments.manifest:
        return Manifest.from_json(read_bytes(spark, arguments.manifest))
    document = read_yaml(arguments.contract)
    contract = parse_contract(document, str(arguments.contract))
    if contract.references:
        datasets = ", ".join(sorted({reference.dataset for reference in contract.references}))
        raise MedallionError(
            f"{arguments.contract}: relationships refer to {datasets}, whose keys the platform brings. Next: "
            "run the product, or try a contract without relationships."
        )
    files = tuple(
        SourceFile(str(path.resolve()), generation=0, size=path.stat().st_size, checksum="")
        for path in sorted(arguments.input)
    )
    run = run_id(contract.name, contract.fingerprint, "local", files)
    output = str(arguments.output.resolve())
    return Manifest(contract.name, run, "local", document, files, output)


def _session() -> SparkSession:
    spark = (
        SparkSession.builder.appName("clean")
        # Timestamps are UTC everywhere; a contract names the timezone of its texts.
        .config("spark.sql.session.timeZone", "UTC")
        # The default fails the job for a text that Spark 2 took for a time, such as '2017-1-1 1:02:03'.
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        # A cast that fails is a broken rule of its row, not the end of the job.
        .config("spark.sql.ansi.enabled", "false")
        # A task for each path, the default, costs more than listing it.
        .config("spark.sql.sources.parallelPartitionDiscovery.parallelism", "64")
        # A line that is longer is skipped instead of taking all memory; find_long_lines misses it.
        .config(LINE_LIMIT, str(MAX_LINE_BYTES))
        # A key that a JSON object has twice is no reason to fail.
        .config("spark.sql.mapKeyDedupPolicy", "LAST_WIN")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        # The default fails the job for a time before 1900.
        .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
        .config("spark.sql.parquet.int96RebaseModeInRead", "CORRECTED")
        .getOrCreate()
    )
    # Spark 3.5 looks these up by seven names at each use, of which the last one is right (SPARK-48475).
    for name in ("org.apache.spark.sql.functions", "org.apache.spark.api.python.PythonUtils"):
        java_import(spark._jvm, name)
    # Java leaves methods of over 8,000 bytes uncompiled, and rows of many rules make such, which then run ten
    # times slower. Where it was not told to compile them, Spark has to cut them up, which costs some copying.
    place = "driver" if (spark.sparkContext.master or "").startswith("local") else "executor"
    options = spark.conf.get(f"spark.{place}.extraJavaOptions", "") or ""
    limit = 65_535 if LONG_METHODS in options else 8_000
    spark.conf.set("spark.sql.codegen.hugeMethodLimit", limit)
    return spark


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", help="URI of a run's manifest; or, without the platform:")
    parser.add_argument("--contract", type=Path, help="a contract's YAML file")
    parser.add_argument("--input", type=Path, nargs="+", help="files to clean")
    parser.add_argument("--output", type=Path, help="folder for the result")
    parser.add_argument("--keep-duplicates", action="store_true", help="for rows that are known to be unique")
    arguments = parser.parse_args(argv)
    if not arguments.manifest and not (arguments.contract and arguments.input and arguments.output):
        parser.error("give --manifest, or --contract with --input and --output")
    return arguments


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
