"""CSV files that share a header, as rows of text."""

import re

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.files import Inspection, source_name
from spark_jobs.cleaning.new_columns import extra_of, new_columns
from spark_jobs.cleaning.texts import ENCODING, SHAPE, nothing, select_texts, untyped

UNIT = "\x1f"  # ASCII's unit separator: a line that holds one is no text


def read_csv(lines: DataFrame, layout: Inspection, contract: Contract, typed: bool) -> DataFrame:
    """Texts of lines (file, raw, is_utf8, size); a field's place is the same in all of them."""
    columns, line, fields = layout.columns, F.col("raw"), F.col("fields")
    rows = _with_fields(lines, contract.delimiter)
    sound = F.col("is_whole") & (F.size(fields) == len(columns))

    def field(name: str | None) -> Col:
        return nothing("string") if name is None else fields[columns.index(name)]

    return select_texts(
        rows,
        contract,
        lambda column: field(source_name(columns, column)),
        untyped if typed else None,
        size__=F.col("size__"),
        is_row__=(F.trim(line) != "") & (line != layout.header),
        fault__=F.when(~F.col("is_utf8"), ENCODING).when(~sound, SHAPE),
        keys__=nothing("array<string>"),
        extra=extra_of(new_columns(columns, contract), field, contract),
    )


def _with_fields(lines: DataFrame, delimiter: str) -> DataFrame:
    """Adds the fields of each line (RFC 4180), and is_whole: whether they are all of it.

    Quotes are part of the text in a field that doesn't begin with one. Most lines have none at all, and
    splitting those is many times faster. Each step is one of its own, so that Spark takes it once.
    """
    line, mark = F.col("raw"), re.escape(delimiter)
    # Possessive, so that no line makes it try twice. A delimiter goes behind the last field as well.
    field = rf'("(?:[^"]++|"")*+"|(?:[^"{mark}](?:[^"{mark}]|"(?!"))*+)?+){mark}'
    parsed = F.regexp_extract_all(F.concat(line, F.lit(delimiter)), F.lit(field), F.lit(1))
    rows = lines.withColumn("quoted", F.contains(line, F.lit('"')))
    rows = rows.withColumn("parsed", F.when(F.col("quoted"), parsed))
    # What is no field is left out above, so that the fields of a broken line don't add up to the line.
    joined, inside = F.array_join("parsed", UNIT), rf'(?<=^|{UNIT})"|"(?={UNIT}|$)'
    unquoted = F.regexp_replace(F.regexp_replace(joined, inside, ""), '""', '"')
    return rows.withColumns(
        {
            "is_whole": ~F.col("quoted") | (F.array_join("parsed", delimiter) == line),
            "fields": F.when(F.col("quoted"), F.split(unquoted, UNIT)).otherwise(F.split(line, mark)),
        }
    )
