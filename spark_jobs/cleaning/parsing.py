"""Strict parsing: a text becomes a value of its column's type, or null when it isn't one."""

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import Column

SPARK_TYPES = {
    "INT64": "bigint",
    "STRING": "string",
    "BOOL": "boolean",
    "FLOAT64": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


def spark_type(column: Column) -> str:
    """Spark's type of a contract column."""
    if column.sql_type == "NUMERIC":
        return f"decimal({column.precision},{column.scale})"
    return SPARK_TYPES[column.sql_type]


def clean_text(text: Col, null_tokens: tuple[str, ...]) -> Col:
    """The text without blanks around it; null where it is one of the tokens that stand for nothing."""
    trimmed = F.trim(text)
    return F.when(~trimmed.isin(*null_tokens), trimmed)


def parse(text: Col, column: Column) -> Col:
    """The text as a value of the column's type; null where it isn't one."""
    match column.sql_type:
        case "INT64":
            # A cast alone would take '1.5' for 1.
            return F.when(text.rlike(r"^[+-]?\d{1,19}$"), text.cast("bigint"))
        case "NUMERIC":
            # A cast alone would round digits away that the scale has no room for.
            whole = column.precision - column.scale
            return F.when(
                text.rlike(rf"^[+-]?\d{{1,{whole}}}(\.\d{{0,{column.scale}}})?$"),
                text.cast(spark_type(column)),
            )
        case "TIMESTAMP":
            local = F.to_timestamp(text, column.format) if column.format else F.to_timestamp(text)
            in_utc = column.timezone in ("UTC", "Etc/UTC")
            return storable(local if in_utc else F.to_utc_timestamp(local, column.timezone), column)
        case "DATE":
            return storable(F.to_date(text, column.format or "yyyy-MM-dd"), column)
        case "FLOAT64":
            return F.when(text.rlike(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"), text.cast("double"))
        case "BOOL":
            return F.when(F.lower(text).isin("true", "1"), True).when(F.lower(text).isin("false", "0"), False)
        case _:
            return text


def storable(value: Col, column: Column) -> Col:
    """The value; null where BigQuery has no room for it, whose years go from 1 to 9999."""
    if column.sql_type not in ("DATE", "TIMESTAMP"):
        return value
    return F.when(F.year(value).between(1, 9999), value)
