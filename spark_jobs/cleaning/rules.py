"""The rules of a contract: each is a condition under which a row is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import ERROR, Column, Constraint, Contract
from spark_jobs.cleaning.parsing import has_gaps, local_time, spark_type
from spark_jobs.cleaning.texts import TEXT

FOUND = "found__"  # prefix of the columns that say whether a reference was found


@dataclass(frozen=True)
class Rule:
    """A rule on a column, or on the row where `column` is empty. `broken` is never null."""

    column: str
    name: str
    broken: Col
    severity: str = ERROR


def read_rules(contract: Contract) -> list[Rule]:
    """Rules on the columns that a file brings, on several of them, and on what they refer to."""
    rules = [rule for column in contract.read_columns for rule in _column_rules(column)]
    for rule in contract.rules:
        broken = ~F.coalesce(F.expr(rule.condition), F.lit(True))
        rules.append(Rule("", rule.name, broken, rule.severity))
    for reference in contract.references:
        name = f"reference:{reference.dataset}"
        missing = F.col(reference.column).isNotNull() & F.col(FOUND + reference.column).isNull()
        rules.append(Rule(reference.column, name, missing, reference.severity))
    return rules


def derived_rules(contract: Contract) -> list[Rule]:
    """Rules on derived columns; they speak for rows only whose read columns are sound."""
    return [rule for column in contract.derived_columns for rule in _value_rules(column, None)]


def _column_rules(column: Column) -> Iterator[Rule]:
    text, value = F.col(TEXT + column.name), F.col(column.name)
    unparsed = value.isNull() & text.isNotNull()
    if has_gaps(column):
        skipped = unparsed & local_time(text, column).isNotNull()
        yield Rule(column.name, "localTime", skipped)
        unparsed = unparsed & ~skipped
    if column.sql_type != "STRING":
        yield Rule(column.name, "type", unparsed)
    yield from _value_rules(column, text)


def _value_rules(column: Column, text: Col | None) -> Iterator[Rule]:
    value = F.col(column.name)
    if column.required:
        yield Rule(column.name, "required", (value if text is None else text).isNull())
    for constraint in column.constraints:
        broken = F.coalesce(CONDITIONS[constraint.name](value, constraint, column), F.lit(False))
        yield Rule(column.name, constraint.name, broken, constraint.severity)


def _bound(constraint: Constraint, column: Column) -> Col:
    return F.lit(str(constraint.value)).cast(spark_type(column))


# By the contract's word for a constraint: when a value breaks it. A null breaks none of them.
CONDITIONS: dict[str, Callable[[Col, Any, Column], Col]] = {
    "minimum": lambda value, limit, column: value < _bound(limit, column),
    "exclusiveMinimum": lambda value, limit, column: value <= _bound(limit, column),
    "maximum": lambda value, limit, column: value > _bound(limit, column),
    "exclusiveMaximum": lambda value, limit, column: value >= _bound(limit, column),
    "multipleOf": lambda value, limit, column: value % _bound(limit, column) != 0,
    "minLength": lambda value, limit, column: F.length(value) < limit.value,
    "maxLength": lambda value, limit, column: F.length(value) > limit.value,
    "pattern": lambda value, limit, column: ~value.rlike(f"^(?:{limit.value})$"),
    "validValues": lambda value, limit, column: (
        ~value.isin(*(F.lit(str(valid)).cast(spark_type(column)) for valid in limit.value))
    ),
}
