"""From the lines of many files to typed rows, each with its status: valid, rejected or duplicate."""

import json
import re
from collections import defaultdict
from functools import reduce
from urllib.parse import unquote

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from medallion.contracts import Contract
from medallion.errors import MedallionError
from spark_jobs.cleaning.files import Inspection, source_column
from spark_jobs.cleaning.parsing import clean_text, parse, storable
from spark_jobs.cleaning.rules import TEXT, any_broken, derived_rules, read_rules, reasons, shape_rule

VALID, REJECTED, DUPLICATE = "valid", "rejected", "duplicate"
MAX_FIELDS = 20_480  # of a line; more end the job in Spark's CSV parser


def read_texts(spark: SparkSession, inspected: list[tuple[int, Inspection]], contract: Contract) -> DataFrame:
    """Rows of the files as text, without their header lines and blank lines.

    Takes the usable files with their numbers. Returns file (its number), line, malformed, and a column
    text__<name> for each column that a file brings. A line that repeats its file's header is no row.
    """
    layouts: dict[str, list[tuple[int, Inspection]]] = defaultdict(list)
    for number, inspection in inspected:
        layouts[inspection.header].append((number, inspection))
    texts = [_read_layout(spark, header, group, contract) for header, group in layouts.items()]
    return reduce(DataFrame.unionByName, texts) if texts else _no_texts(spark, contract)


def check(texts: DataFrame, contract: Contract) -> DataFrame:
    """Typed rows: the contract's columns, file, row_hash, reasons, and raw where reasons isn't null."""
    typed = texts.select(
        "*",
        *(parse(F.col(TEXT + column.name), column).alias(column.name) for column in contract.read_columns),
    )
    for column in contract.derived_columns:
        typed = typed.withColumn(column.name, storable(F.expr(column.expression or ""), column))
    shape = shape_rule(F.col("malformed"), F.col("line"))
    read, derived = read_rules(contract), derived_rules(contract)
    found = (
        F.when(F.col("malformed"), reasons([shape]))
        .when(any_broken(read), reasons(read))
        .when(any_broken(derived), reasons(derived))
    )
    names = [column.name for column in contract.columns]
    return typed.select(
        "file", *names, F.xxhash64(*names).alias("row_hash"), found.alias("reasons"), "line"
    ).select(
        "file",
        *names,
        "row_hash",
        "reasons",
        F.when(F.col("reasons").isNotNull(), F.col("line")).alias("raw"),
    )


def deduplicate(rows: DataFrame, contract: Contract) -> DataFrame:
    """Adds status. Of valid rows with one key the newest by the contract's order stays.

    Ties go to the greater row_hash, which depends on nothing but the row, so that any order of arrival
    ends with the same row; then to the later file, which decides between equal rows only.
    """
    sound = F.col("reasons").isNull()
    # Rejected rows often have no key: spread them, or they would all meet in one partition.
    spread = F.when(~sound, F.xxhash64("raw", "file"))
    newest = Window.partitionBy(*contract.key, spread).orderBy(
        F.desc(contract.order_by), F.desc("row_hash"), F.desc("file")
    )
    status = F.when(~sound, REJECTED).when(F.row_number().over(newest) > 1, DUPLICATE).otherwise(VALID)
    return rows.withColumn("status", status)


def _read_layout(
    spark: SparkSession, header: str, group: list[tuple[int, Inspection]], contract: Contract
) -> DataFrame:
    """Reads files that share a header; a field's place is the same in all of them."""
    columns = group[0][1].columns
    lines = _read_lines(spark, group).where((F.trim("line") != "") & (F.col("line") != header))
    schema = ", ".join(f"c{place} STRING" for place in range(len(columns))) + ", malformed STRING"
    options = {
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "malformed",
        "sep": contract.delimiter,
        "quote": '"',
        "escape": '"',
    }
    sound = F.col("is_utf8") & _can_be_split(F.col("line"), contract.delimiter)
    parsed = lines.withColumn("row", F.from_csv(F.when(sound, F.col("line")), schema, options))

    def text(sources: tuple[str, ...]) -> Col:
        place = source_column(columns, sources)
        return clean_text(F.col(f"row.c{place}"), contract.null_tokens) if place is not None else F.lit(None)

    return parsed.select(
        "file",
        "line",
        (F.col("row").isNull() | F.col("row.malformed").isNotNull()).alias("malformed"),
        *(text(column.sources).cast("string").alias(TEXT + column.name) for column in contract.read_columns),
    )


def _read_lines(spark: SparkSession, group: list[tuple[int, Inspection]]) -> DataFrame:
    numbers = {inspection.file.uri: number for number, inspection in group}
    text = spark.read.text([_escape_glob(uri) for uri in numbers])
    # Spark shows paths with %-escapes, the manifest without.
    paths = [(path, numbers[_known(unquote(path), numbers)]) for path in text.inputFiles()]
    if len(paths) != len(numbers):
        raise MedallionError(f"Spark lists {len(paths)} of {len(numbers)} files and would lose the rest.")
    files = small_table(spark, paths, "path STRING, file INT")
    # Spark keeps whatever bytes a line has, and neither Parquet's readers nor BigQuery take all of them.
    line = F.decode(F.col("value").cast("binary"), "UTF-8")
    is_utf8 = (line == F.col("value")).alias("is_utf8")
    lines = text.select(line.alias("line"), is_utf8, F.input_file_name().alias("path"))
    # A left join with a guard: an inner one would lose a file's rows in silence if two spellings differed.
    unknown = F.raise_error(F.concat(F.lit("row of a file that is not in the manifest: "), "path")).cast(
        "int"
    )
    file = F.coalesce("file", unknown).alias("file")
    return lines.join(F.broadcast(files), "path", "left").select("line", "is_utf8", file)


def _can_be_split(line: Col, delimiter: str) -> Col:
    """Whether a line's quotes come in pairs, and it has no more fields than Spark can take."""

    def count(mark: str) -> Col:
        return F.length(line) - F.length(F.replace(line, F.lit(mark), F.lit("")))

    return (count('"') % 2 == 0) & ((F.length(line) < MAX_FIELDS) | (count(delimiter) < MAX_FIELDS))


def small_table(spark: SparkSession, rows: list[tuple], schema: str) -> DataFrame:
    """A handful of rows as a DataFrame. createDataFrame would start Python workers to read them back."""
    names = [column.split()[0] for column in schema.split(", ")]
    document = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    parsed = F.from_json(F.lit(document), f"ARRAY<STRUCT<{schema.replace(' ', ': ').replace(',:', ',')}>>")
    return spark.range(1).select(F.inline(parsed))


def _known(path: str, numbers: dict[str, int]) -> str:
    """The manifest's spelling of a path: Spark puts file:/ before a plain one."""
    plain = re.sub(r"^file:/+", "/", path)
    return path if path in numbers else plain


def _escape_glob(uri: str) -> str:
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", uri)


def _no_texts(spark: SparkSession, contract: Contract) -> DataFrame:
    texts = ", ".join(f"{TEXT}{column.name} STRING" for column in contract.read_columns)
    return small_table(spark, [], f"file INT, line STRING, malformed BOOLEAN, {texts}")
