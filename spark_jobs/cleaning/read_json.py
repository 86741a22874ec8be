"""JSON Lines, an object a line with keys of its own, as rows of text."""

import json
import re
from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import MAX_NEW_COLUMNS, Column, Contract
from spark_jobs.cleaning.metrics import Read
from spark_jobs.cleaning.new_columns import column_names_of, extra_of_keys
from spark_jobs.cleaning.parsing import spark_type
from spark_jobs.cleaning.texts import ENCODING, SHAPE, select_texts, untyped

NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
FRACTION = r"^-?[0-9]+\.[0-9]+(E-?[0-9]+)?$"  # as Java writes a double
# A number that is no double, and of which a decimal takes minutes and gigabytes.
ENDLESS = r"[:,\[]\s*-?[0-9.]+[eE][+-]?[0-9]{4,}\s*[,}\]]"
TEXT = r'"(?:[^"\\]|\\.)*+"'
OPTIONS = {
    "mode": "PERMISSIVE",
    "columnNameOfCorruptRecord": "malformed__",
    "allowNonNumericNumbers": "false",  # NaN, which what tells the keys doesn't take
}


def read_json(lines: DataFrame, contract: Contract, read: Read) -> DataFrame:
    """Texts of lines (file, raw, is_utf8, size), with typed decimals beside them."""
    decimals = [column for column in contract.read_columns if column.sql_type == "NUMERIC"]
    line, parsed, endless = F.trim("line"), F.col("texts"), _is_endless(F.col("line"))
    rows = _with_keys(read.rows(lines, F.trim("raw") != ""), contract)
    rows = rows.withColumn(
        "texts", F.from_json("line", _schema(contract.read_columns, lambda column: "STRING"), OPTIONS)
    )
    if decimals:
        # Spark turns a number into text through a double, but into a decimal digit by digit.
        numbers = F.from_json("line", _schema(decimals, _wide), OPTIONS)
        rows = rows.withColumn("numbers", F.when(~endless, numbers))
    rows = _with_new_keys(rows, contract)
    one_object = line.startswith("{") & line.endswith("}") & ~endless & ~_has_more(line)
    # Of a key that comes twice, one value would be lost.
    told_apart = F.col("keys").isNotNull() & (F.size(F.array_distinct("keys")) == F.size("keys"))
    sound = one_object & parsed.isNotNull() & parsed["malformed__"].isNull() & told_apart
    if contract.evolves:
        sound &= F.size("new_keys") <= MAX_NEW_COLUMNS
    return select_texts(
        read.keys(rows, F.when(sound, F.map_values("names"))),
        contract,
        _text,
        _typed,
        fault=F.when(~F.col("is_utf8"), ENCODING).when(~F.coalesce(sound, F.lit(False)), SHAPE),
        extra=F.when(sound, extra_of_keys(F.col("values"), F.col("names"), contract)),
    )


def _is_endless(line: Col) -> Col:
    """Whether a line has such a number; a text may look like one."""
    return line.rlike(ENDLESS) & F.regexp_replace(line, TEXT, '""').rlike(ENDLESS)


def _has_more(line: Col) -> Col:
    """Whether anything follows the first object of a line: from_json would not see it."""
    values = F.json_array_length(F.concat(F.lit("["), line, F.lit("]")))
    return line.rlike(r"\}\s*\S") & F.coalesce(values != 1, F.lit(True))


def _with_keys(rows: DataFrame, contract: Contract) -> DataFrame:
    """Adds line, raw with the contract's keys in the contract's case, which tells nothing;
    keys, all of that line; and new_keys, those that the contract doesn't know.
    """
    sources = [source for column in contract.read_columns for source in column.sources]
    known = F.array(*map(F.lit, sources))
    lower = F.array(*(F.lit(source.lower()) for source in sources))
    rows = rows.withColumn("given", F.json_object_keys("raw"))
    rows = rows.withColumn("unknown", F.array_except("given", known))
    respelt = F.arrays_overlap(F.transform("unknown", F.lower), lower)
    line = F.when(respelt, reduce(_spelt, sources, F.col("raw"))).otherwise(F.col("raw"))
    rows = rows.withColumn("line", line)
    keys = F.when(respelt, F.json_object_keys("line")).otherwise(F.col("given"))
    rows = rows.withColumn("keys", keys)
    new = F.when(respelt, F.array_except("keys", known)).otherwise(F.col("unknown"))
    return rows.withColumn("new_keys", new)


def _spelt(line: Col, source: str) -> Col:
    """The line with a key as it is written here."""
    key = json.dumps(source, ensure_ascii=False)
    plain = key.replace("\\", "\\\\").replace("$", "\\$")
    return F.regexp_replace(line, rf"(?iu){re.escape(key)}(\s*:)", f"{plain}$1")


def _with_new_keys(rows: DataFrame, contract: Contract) -> DataFrame:
    """Adds, for a row with keys that the contract doesn't know: names, a map from them to what their columns
    are called; and values, a map from every key to its text.
    """
    brings_new = F.size("new_keys") > 0
    return rows.withColumns(
        {
            "names": F.when(brings_new, column_names_of(F.col("new_keys"), contract)),
            "values": F.when(brings_new, F.from_json("line", "map<string,string>")),
        }
    )


def _schema(columns: Sequence[Column], kind: Callable[[Column], str]) -> str:
    fields = [f"{_quoted(source)} {kind(column)}" for column in columns for source in column.sources]
    return ", ".join([*fields, "malformed__ STRING"])


def _quoted(source: str) -> str:
    """A key of the lines as Spark's SQL takes it, whatever is in it."""
    escaped = source.replace("`", "``")
    return f"`{escaped}`"


def _text(column: Column) -> Col:
    text = F.coalesce(*(_told(source, column) for source in column.sources))
    if column.sql_type != "NUMERIC":
        return text
    # A number with more digits than the column takes: shown with all of them, lest a double hides some.
    number = _number(column)
    return F.when(number.isNotNull() & _typed(column).isNull(), number.cast("string")).otherwise(text)


def _told(source: str, column: Column) -> Col:
    """What a key says. Spark turns a number into text through a double, 1.10 into 1.1: for a text column the
    digits are taken from the line, where no other object in it has the key too.
    """
    text, key = F.col(f"texts.{_quoted(source)}"), re.escape(json.dumps(source, ensure_ascii=False))
    if column.sql_type != "STRING":
        return text
    digits = F.regexp_extract("line", rf"{key}\s*:\s*(-?[0-9][0-9.eE+-]*)\s*[,}}]", 1)
    is_once = F.regexp_count("line", F.lit(rf"{key}\s*:")) == 1
    return F.when(text.rlike(FRACTION) & is_once & (digits != ""), digits).otherwise(text)


def _typed(column: Column) -> Col:
    if column.sql_type != "NUMERIC":
        return untyped(column)
    number, wanted = _number(column), spark_type(column)
    return F.when(number.cast(wanted) == number, number.cast(wanted))


def _number(column: Column) -> Col:
    """Null for a text that JSON would not take for a number: Spark takes 1,50 for 150."""

    def number(source: str) -> Col:
        text = F.col(f"texts.{_quoted(source)}")
        return F.when(text.rlike(NUMBER), F.col(f"numbers.{_quoted(source)}"))

    return F.coalesce(*map(number, column.sources))


def _wide(column: Column) -> str:
    """A decimal with more room behind the point than any column has, so that nothing is rounded unseen.

    It may have less room before it: of such numbers the text is taken, which a double loses no digits of
    unless there are decimals too.
    """
    return f"DECIMAL(38, {max(38 - (column.precision - column.scale), 20)})"
