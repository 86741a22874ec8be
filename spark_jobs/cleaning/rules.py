"""The rules of a contract: each is a condition under which a row is broken."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import ERROR, Column, Contract
from medallion.odcs_values import ZONE
from spark_jobs.cleaning.parsing import has_gaps, instant, local_time, spark_type, without_tokens
from spark_jobs.cleaning.texts import ENCODING, SHAPE, TEXT

NAMES_ZONE = re.compile(f"({ZONE})$")
FOUND = "found__"  # prefix of the columns that say whether a reference was found


class Subject(Enum):
    """What a rule looks at: a row as it stands in its file, a column's text, values, or derived values.

    A rule on derived values speaks only for rows that are sound without them, and of a broken line no other
    rule speaks.
    """

    LINE = auto()
    TEXT = auto()
    VALUE = auto()
    DERIVED = auto()


@dataclass(frozen=True)
class Rule:
    """A rule on a column, or on the row where `column` is empty. `broken` is never null."""

    subject: Subject
    column: str
    name: str
    broken: Col
    severity: str = ERROR


def met(condition: str) -> Col:
    """Whether a row meets a contract's condition; one that is NULL is met."""
    return F.coalesce(F.expr(condition), F.lit(True))


def rules_of(contract: Contract, text: Callable[[str], Col]) -> list[Rule]:
    """All rules of a contract; `text` gives the text of a column, null where it stands for nothing."""
    rules = [Rule(Subject.LINE, "", name, F.col("fault__").eqNullSafe(name)) for name in (ENCODING, SHAPE)]
    for column in contract.read_columns:
        rules += _text_rules(column, text(column.name))
        rules += _constraints(column, Subject.VALUE)
    for rule in contract.rules:
        rules.append(Rule(Subject.VALUE, "", rule.name, ~met(rule.condition), rule.severity))
    for reference in contract.references:
        name = f"reference:{reference.dataset}"
        missing = F.col(reference.column).isNotNull() & F.col(FOUND + reference.column).isNull()
        rules.append(Rule(Subject.VALUE, reference.column, name, missing, reference.severity))
    for column in contract.derived_columns:
        if column.sql_type == "FLOAT64":
            value = F.col(column.name)
            infinite = F.coalesce(value - value != 0, F.lit(False))
            rules.append(Rule(Subject.DERIVED, column.name, "type", infinite))
        if column.required:
            rules.append(Rule(Subject.DERIVED, column.name, "required", F.col(column.name).isNull()))
        rules += _constraints(column, Subject.DERIVED)
    return rules


def tell_broken(rules: list[Rule], tell: Callable[[dict[int, Col]], Col]) -> Col:
    """What `tell` makes of whether a judged row breaks each rule that speaks for it, by the rule's place.

    Of a broken line these are the rules on lines, of any other row all others: a row looks once at its line,
    and the rules that can't speak for it aren't evaluated.
    """
    sound = F.col("sound__")
    of_lines = {place: rule.broken for place, rule in enumerate(rules) if rule.subject is Subject.LINE}
    others = {
        place: sound & rule.broken if rule.subject is Subject.DERIVED else rule.broken
        for place, rule in enumerate(rules)
        if place not in of_lines
    }
    return F.when(F.col("fault__").isNotNull(), tell(of_lines)).otherwise(tell(others))


def breaks_text_rule(column: Column, null_tokens: tuple[str, ...]) -> Col:
    """Whether any rule on a column's text is broken, told from its value wherever there is one."""
    missing = F.col(column.name).isNull()
    if column.required:
        return missing
    return missing & without_tokens(F.col(TEXT + column.name), null_tokens).isNotNull()


def _text_rules(column: Column, text: Col) -> Iterator[Rule]:
    unparsed = F.col(column.name).isNull() & text.isNotNull()
    if has_gaps(column):
        shown = local_time(text, column)
        # Of a time whose instant BigQuery has no room for, no clock has skipped anything.
        skipped = unparsed & shown.isNotNull() & instant(shown, column).isNull()
        yield Rule(Subject.TEXT, column.name, "localTime", skipped)
        unparsed = unparsed & ~skipped
    if column.sql_type != "STRING":
        yield Rule(Subject.TEXT, column.name, "type", unparsed)
    if column.required:
        # A value is looked at first: it is there but for few rows, and its text takes longer.
        yield Rule(Subject.TEXT, column.name, "required", F.col(column.name).isNull() & text.isNull())


def _constraints(column: Column, subject: Subject) -> Iterator[Rule]:
    for constraint in column.constraints:
        broken = CONDITIONS[constraint.name](F.col(column.name), constraint, column)
        broken = F.coalesce(broken, F.lit(False))
        yield Rule(subject, column.name, constraint.name, broken, constraint.severity)


def _literal(value: Any, column: Column) -> Col:
    """A contract's value in its column's type; a time that names no zone is one of the column's timezone."""
    found = F.lit(str(value)).cast(spark_type(column))
    if column.sql_type == "TIMESTAMP" and not NAMES_ZONE.search(str(value)):
        return F.to_utc_timestamp(found, column.timezone)
    return found


# By the contract's word for a constraint: when a value breaks it. A null breaks none of them.
CONDITIONS: dict[str, Callable[[Col, Any, Column], Col]] = {
    "minimum": lambda value, limit, column: value < _literal(limit.value, column),
    "exclusiveMinimum": lambda value, limit, column: value <= _literal(limit.value, column),
    "maximum": lambda value, limit, column: value > _literal(limit.value, column),
    "exclusiveMaximum": lambda value, limit, column: value >= _literal(limit.value, column),
    "multipleOf": lambda value, limit, column: value % _literal(limit.value, column) != 0,
    "minLength": lambda value, limit, column: F.length(value) < limit.value,
    "maxLength": lambda value, limit, column: F.length(value) > limit.value,
    "pattern": lambda value, limit, column: ~value.rlike(rf"^(?:{limit.value})\z"),
    "validValues": lambda value, limit, column: (
        ~value.isin(*(_literal(valid, column) for valid in limit.value))
    ),
}
