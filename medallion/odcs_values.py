"""Values in a contract's rules: what is not of its column's type is NULL to Spark, and no row breaks that."""

import math
import re
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from medallion.contracts import Column, Constraint

BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
EXPECTED = {
    "INT64": "integers of 64 bits",
    "FLOAT64": "numbers",
    "BOOL": "true or false",
    "DATE": "dates like 2017-01-31",
    "TIMESTAMP": "times like 2017-01-31 12:00:00",
    "STRING": "texts, in quotes",
}
NUMBERS = ("INT64", "NUMERIC", "FLOAT64")
INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ZONE = r"Z|[+-](0[0-9]|1[0-7]):[0-5][0-9]"  # Java has none beyond
TIME = re.compile(rf"{DATE.pattern}([ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?({ZONE})?)?")


def values(constraint: Constraint) -> list[Any]:
    """The values of the column's type that a constraint holds a value to."""
    if constraint.name == "validValues":
        return list(constraint.value)
    return [constraint.value] if constraint.name in BOUNDS else []


def is_value(value: Any, column: Column) -> bool:
    """Whether a contract's value is one of its column's type."""
    if column.sql_type == "STRING":
        return isinstance(value, str)  # YAML takes 01 for a number, and no for false
    try:
        return _is_value(str(value), column)
    except ValueError:  # of the right form, as 2017-02-30 is
        return False


def _is_value(text: str, column: Column) -> bool:
    match column.sql_type:
        case "INT64":
            return bool(INTEGER.fullmatch(text)) and -(2**63) <= int(text) < 2**63
        case "NUMERIC":
            if not NUMBER.fullmatch(text):
                return False
            units = Fraction(text) * 10**column.scale
            return units.denominator == 1 and abs(units) < 10**column.precision
        case "FLOAT64":
            return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text))
        case "BOOL":
            return text.lower() in ("true", "false")
        case "DATE":
            return bool(DATE.fullmatch(text) and date.fromisoformat(text))
        case _:  # TIMESTAMP
            return bool(TIME.fullmatch(text) and datetime.fromisoformat(text))
