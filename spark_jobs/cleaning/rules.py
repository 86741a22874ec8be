"""The rules of a contract: each is a condition under which a row is broken."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import Column, Contract
from spark_jobs.cleaning.parsing import spark_type

SHAPE = "shape"
TEXT = "text__"  # prefix of the columns that hold what the file says, beside the typed ones


@dataclass(frozen=True)
class Rule:
    """A rule on a column. `broken` is never null; `value` is what the file says."""

    column: str
    name: str
    broken: Col
    value: Col

    def reason(self) -> Col:
        """The reason that a rejected row carries; null where the rule holds."""
        value = self.value.alias("value")
        return F.when(
            self.broken, F.struct(F.lit(self.column).alias("column"), F.lit(self.name).alias("rule"), value)
        )


def shape_rule(malformed: Col, line: Col) -> Rule:
    """A line must be UTF-8, with as many fields as its file's header, and quotes in pairs."""
    return Rule("", SHAPE, malformed, F.left(line, F.lit(200)))


def read_rules(contract: Contract) -> list[Rule]:
    """Rules on the columns that a file brings."""
    return [rule for column in contract.read_columns for rule in _column_rules(column)]


def derived_rules(contract: Contract) -> list[Rule]:
    """Rules on derived columns; they speak for rows only whose read columns are sound."""
    return [
        Rule(column.name, "required", F.col(column.name).isNull(), F.lit(None).cast("string"))
        for column in contract.derived_columns
        if column.required
    ]


def any_broken(rules: list[Rule]) -> Col:
    """Whether a row breaks any of the rules."""
    broken = F.lit(False)
    for rule in rules:
        broken = broken | rule.broken
    return broken


def reasons(rules: list[Rule]) -> Col:
    """Every rule that a row breaks, as array<struct<column, rule, value>>."""
    return F.array_compact(F.array(*(rule.reason() for rule in rules)))


def _column_rules(column: Column) -> Iterator[Rule]:
    text, value = F.col(TEXT + column.name), F.col(column.name)

    def rule(name: str, broken: Col) -> Rule:
        return Rule(column.name, name, F.coalesce(broken, F.lit(False)), text)

    if column.required:
        yield rule("required", text.isNull())
    if column.sql_type != "STRING":
        yield rule("type", text.isNotNull() & value.isNull())
    if column.minimum is not None:
        yield rule("minimum", value < F.lit(column.minimum).cast(spark_type(column)))
    if column.maximum is not None:
        yield rule("maximum", value > F.lit(column.maximum).cast(spark_type(column)))
    if column.min_length is not None:
        yield rule("minLength", F.length(text) < column.min_length)
    if column.max_length is not None:
        yield rule("maxLength", F.length(text) > column.max_length)
    if column.pattern is not None:
        yield rule("pattern", ~text.rlike(f"^(?:{column.pattern})$"))
