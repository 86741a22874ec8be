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
BIGINT_DIGITS = 17  # that a BIGINT has room for with one more, whatever they are
ZONE_LETTERS = set("VzOXxZ")  # of a pattern whose texts name their own zone
UTC = ("UTC", "Etc/UTC")
CASTABLE = {"yyyy-MM-dd HH:mm:ss": " ", "yyyy-MM-dd'T'HH:mm:ss": "T"}  # with what parts date and time


def spark_type(column: Column) -> str:
    """Spark's type of a contract column."""
    if column.sql_type == "NUMERIC":
        return f"decimal({column.precision},{column.scale})"
    return SPARK_TYPES[column.sql_type]


def trimmed(text: Col, column: Column) -> Col:
    """The text without blanks around it, unless the contract wants them kept."""
    return F.trim(text) if column.trim else text


def without_tokens(text: Col, null_tokens: tuple[str, ...]) -> Col:
    """The text; null where it is a token that stands for nothing."""
    return F.when(~text.isin(*null_tokens), text)


def parse(text: Col, column: Column, null_tokens: tuple[str, ...] = ()) -> Col:
    """The text as a value of the column's type; null where it isn't one, or stands for nothing."""
    # What can't be a value needs no looking for.
    mistakable = tuple(token for token in null_tokens if _may_be_value(token, column))
    value = _value(text, column)
    return F.when(~text.isin(*mistakable), value) if mistakable else value


def _may_be_value(token: str, column: Column) -> bool:
    match column.sql_type:
        case "STRING":
            return True
        case "BOOL":
            return token.lower() in map(str.lower, (*column.true_tokens, *column.false_tokens))
        case _:
            return any(character.isdigit() for character in token)


def _value(text: Col, column: Column) -> Col:
    match column.sql_type:
        case "INT64":
            # A cast alone would take '1.5' for 1; try_cast throws and catches an error for each text.
            return F.when(~F.contains(text, F.lit(".")), text.cast("bigint"))
        case "NUMERIC":
            return F.when(_is_plain_number(text, column), text.cast(spark_type(column)))
        case "TIMESTAMP":
            return instant(local_time(text, column), column)
        case "DATE":
            return F.to_date(text, column.format or "yyyy-MM-dd")
        case "FLOAT64":
            number = text.cast("double")
            is_finite = number - number == 0  # beyond a double's range a cast makes infinities
            return F.when(text.rlike(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$") & is_finite, number)
        case "BOOL":
            lower = F.lower(text)
            return F.when(lower.isin(*map(str.lower, column.true_tokens)), True).when(
                lower.isin(*map(str.lower, column.false_tokens)), False
            )
        case _:
            return text


def local_time(text: Col, column: Column) -> Col:
    """What a clock in the column's timezone showed, as a TIMESTAMP; null for a text of another format."""
    separator = CASTABLE.get(column.format or "")
    if separator:  # a cast takes a tenth of a formatter's time
        return _whole_second(text, separator)
    return F.to_timestamp(text, column.format or "")


def _is_plain_number(text: Col, column: Column) -> Col:
    """Whether a text is digits with a sign at most, and a point with at most the column's scale behind it.

    A cast alone would round digits away that the scale has no room for. Wherever a BIGINT has room for the
    digits before the point, telling it by parts takes a fraction of a regular expression's time.
    """
    whole = column.precision - column.scale
    if whole > BIGINT_DIGITS:
        return text.rlike(rf"^[+-]?\d{{1,{whole}}}(\.\d{{0,{column.scale}}})?$")
    # A cast to BIGINT takes ASCII digits with a point somewhere, and blanks around them, but not inside. What
    # comes first tells that there are none, and that there is a digit before the point.
    numeric = F.concat(text, F.lit("0")).cast("bigint").isNotNull()
    unsigned = (text >= "0") & (text < ":")
    signed = (text >= "+") & (text < ".") & (F.substring(text, 2, 1) >= "0")
    point = F.instr(text, ".")
    return (unsigned | signed) & numeric & ((point == 0) | (F.octet_length(text) - point <= column.scale))


def _whole_second(text: Col, separator: str) -> Col:
    """The time that a text yyyy-MM-dd HH:mm:ss shows, with `separator` in the middle; null for another text.

    A cast takes many forms. In 19 bytes with both marks at their place, a date and a time have room for no
    other, once decimals are put behind them, so that they can have none of their own and no zone.
    """
    marks = (F.instr(text, "-") == 5) & (F.instr(text, separator) == 11)
    return F.when((F.octet_length(text) == 19) & marks, F.concat(text, F.lit(".0")).cast("timestamp"))


def has_gaps(column: Column) -> bool:
    """Whether texts of the column are local times of a zone whose clocks may change."""
    pattern = "".join(
        (column.format or "").split("'")[::2]
    )  # what stands in quotes is no letter of a pattern
    local = not ZONE_LETTERS & set(pattern)
    return column.sql_type == "TIMESTAMP" and local and column.timezone not in UTC


def storable(value: Col, column: Column) -> Col:
    """The value; null where BigQuery has no room for it, whose years go from 1 to 9999."""
    if column.sql_type not in ("DATE", "TIMESTAMP"):
        return value
    first, last = (
        F.lit(text).cast(spark_type(column)) for text in ("0001-01-01", "9999-12-31 23:59:59.999999")
    )
    return F.when(value.between(first, last), value)


def instant(local: Col, column: Column) -> Col:
    """The instant of a local time; null if clocks skipped it. The contract decides if they showed it twice.

    Around a change of clocks the zone has two offsets; the local time happened at those of them with which it
    comes back. Looked up a day before and after, for no zone changes its clocks twice in two days.
    """
    if not has_gaps(column):
        return local
    zone, day = column.timezone, F.expr("INTERVAL 24 HOURS")

    def at_offset_of(moment: Col) -> Col:
        instant = local - (F.from_utc_timestamp(moment, zone) - moment)
        return F.when(F.from_utc_timestamp(instant, zone) == local, instant)

    before, after = at_offset_of(local - day), at_offset_of(local + day)
    match column.ambiguous_time:
        case "earlier":
            return F.coalesce(before, after)
        case "later":
            return F.coalesce(after, before)
        case _:
            return F.when(before.isNull() | after.isNull() | (before == after), F.coalesce(before, after))
