"""CSV files that share a header, as rows of text."""

import re

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.files import Inspection
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import extra_of, new_columns
from spark_jobs.cleaning.texts import ENCODING, SHAPE, nothing, select_texts, untyped

UNIT = "\x1f"  # ASCII's unit separator: a line that holds one is no text


def read_csv(lines: DataFrame, layout: Inspection, contract: Contract, typed: bool, read: Read) -> DataFrame:
    """Texts of lines (file, raw, is_utf8, size); a field's place is the same in all of them."""
    columns, line, fields = layout.columns, F.col("raw"), F.col("fields")
    rows = read.rows(_unquote(lines, contract.delimiter), (F.trim(line) != "") & (line != layout.header))
    split = F.coalesce(F.split("unquoted", UNIT), F.split(line, re.escape(contract.delimiter)))
    rows = rows.withColumn("fields", split)

    def field(name: str | None) -> Col:
        # Of a line with too few fields no rule asks for more. What is never null makes for much shorter code.
        return nothing("string") if name is None else F.coalesce(fields[columns.index(name)], F.lit(""))

    return select_texts(
        rows,
        contract,
        lambda column: field(column.source_in(columns)),
        untyped if typed else None,
        fault=F.coalesce("fault__", F.when(F.size(fields) != len(columns), SHAPE)),
        extra=extra_of(new_columns(columns, contract), field, contract),
    )


def _unquote(lines: DataFrame, delimiter: str) -> DataFrame:
    """Adds unquoted, of a line with quotes: its fields (RFC 4180), joined by UNIT; and fault, of a line that
    is not UTF-8, or whose fields are not all of it.

    Quotes are part of the text in a field that doesn't begin with one. Most lines have none at all, and
    splitting those is many times faster. Each step is one of its own, so that Spark takes it once.
    """
    line, mark = F.col("raw"), re.escape(delimiter)
    # Possessive, so that no line makes it try twice. A delimiter goes behind the last field as well.
    field = rf'("(?:[^"]++|"")*+"|(?:[^"{mark}](?:[^"{mark}]|"(?!"))*+)?+){mark}'
    parsed = F.regexp_extract_all(F.concat(line, F.lit(delimiter)), F.lit(field), F.lit(1))
    rows = lines.withColumn("parsed", F.when(F.contains(line, F.lit('"')), parsed))
    # What is no field is left out above, so that the fields of a broken line don't add up to the line.
    joined = F.array_join("parsed", UNIT)
    # Both at once: a quote at the end of a field that begins without one is part of its text.
    around = rf'(?<=^|{UNIT})"((?:[^"]++|"")*+)"(?={UNIT}|\z)'
    fault = F.when(~F.col("is_utf8"), ENCODING).when(F.array_join("parsed", delimiter) != line, SHAPE)
    return rows.select(
        "file__",
        "raw",
        "size__",
        F.regexp_replace(F.regexp_replace(joined, around, "$1"), '""', '"').alias("unquoted"),
        fault.alias("fault__"),
    )
