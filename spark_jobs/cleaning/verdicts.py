"""Which rules each row breaks, as bits of a few integers: cheap to make, to count and to carry along.

Reasons are spelled out from them at the very end, for rejected rows only.
"""

import json
from collections.abc import Iterator
from functools import reduce

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import ERROR, Column, Contract
from spark_jobs.cleaning.rules import Rule, derived_rules, read_rules
from spark_jobs.cleaning.texts import ENCODING, SHAPE, TEXT, TYPED

READ, DERIVED = "read_bits__", "derived_bits__"
BITS = 62  # of a BIGINT, far from its sign
SHOWN = 200  # characters of a row that has no columns to name


def judge(rows: DataFrame, contract: Contract, keep_raw: bool) -> DataFrame:
    """Adds the bits of broken rules, and rejected. Texts (an array, read columns before derived ones) and
    raw stay with rejected rows only, unless raw is to be kept.
    """
    read, derived = read_rules(contract), derived_rules(contract)
    has_columns = F.col("is_row") & F.col("fault").isNull()
    rows = rows.withColumns(
        {name: F.when(has_columns, bits).otherwise(0) for name, bits in _bits(READ, read)}
    )
    sound = has_columns & ~_any(READ, read)
    rows = rows.withColumns(
        {name: F.when(sound, bits).otherwise(0) for name, bits in _bits(DERIVED, derived)}
    )
    rejected = F.col("is_row") & (F.col("fault").isNotNull() | _any(READ, read) | _any(DERIVED, derived))
    rows = rows.withColumn("rejected", rejected)
    texts = F.array(
        *(F.col(TEXT + column.name) for column in contract.read_columns),
        *(F.col(column.name).cast("string") for column in contract.derived_columns),
    )
    return rows.select(
        *(name for name in rows.columns if name != "raw" and not name.startswith((TEXT, TYPED))),
        F.when(F.col("rejected"), texts).alias("texts"),
        (F.col("raw") if keep_raw else F.when(F.col("rejected"), F.col("raw"))).alias("raw"),
    )


def broken_rules(contract: Contract) -> Iterator[tuple[Rule, Col]]:
    """Every rule of the contract, with the condition that a judged row breaks it."""
    for name in (ENCODING, SHAPE):
        breaks = F.col("rejected") & F.col("fault").eqNullSafe(name)
        yield Rule("", name, breaks), breaks
    for prefix, rules in _groups(contract):
        for number, rule in enumerate(rules):
            yield rule, _breaks(prefix, number)


def verdict_columns(contract: Contract) -> list[str]:
    """Columns that `explain` needs of a judged row."""
    return ["fault", "rejected", "texts", *_bit_columns(contract)]


def explain(contract: Contract) -> Col:
    """Every rule that a rejected row breaks, as array<struct<column, rule, value>>; null for the others."""
    bits = F.array(*(F.col(name) for name in _bit_columns(contract)))
    broken = F.filter(_rule_table(contract), lambda rule: bits[rule["place"]].bitwiseAND(rule["bit"]) != 0)
    texts = F.col("texts")
    named = F.transform(broken, lambda rule: _reason(rule["column"], rule["rule"], texts[rule["text"]]))
    beginning = F.left("raw", F.lit(SHOWN))
    return F.when(
        F.col("rejected"),
        F.when(F.col("fault").isNotNull(), F.array(_reason(F.lit(""), F.col("fault"), beginning))).otherwise(
            named
        ),
    )


def _reason(column: Col, rule: Col, value: Col) -> Col:
    return F.struct(column.alias("column"), rule.alias("rule"), value.alias("value"))


def _rule_table(contract: Contract) -> Col:
    """The rules whose breach rejects a row: where their bit is, and which of the row's texts it is about."""
    texts = {column.name: place for place, column in enumerate(_shown(contract))}
    places = {name: place for place, name in enumerate(_bit_columns(contract))}
    table = [
        {
            "place": places[_bit_column(prefix, number)],
            "bit": 1 << number % BITS,
            "column": rule.column,
            "rule": rule.name,
            "text": texts.get(rule.column),
        }
        for prefix, rules in _groups(contract)
        for number, rule in enumerate(rules)
        if rule.severity == ERROR
    ]
    kind = "ARRAY<STRUCT<place: INT, bit: BIGINT, column: STRING, rule: STRING, text: INT>>"
    return F.from_json(F.lit(json.dumps(table)), kind)


def _groups(contract: Contract) -> tuple[tuple[str, list[Rule]], ...]:
    """The rules by the prefix of their bits."""
    return (READ, read_rules(contract)), (DERIVED, derived_rules(contract))


def _shown(contract: Contract) -> tuple[Column, ...]:
    """The columns whose texts a rejected row keeps, in their order."""
    return (*contract.read_columns, *contract.derived_columns)


def _bit_columns(contract: Contract) -> list[str]:
    return [name for prefix, rules in _groups(contract) for name, _ in _bits(prefix, rules)]


def _bit_column(prefix: str, number: int) -> str:
    return f"{prefix}{number // BITS}"


def _bits(prefix: str, rules: list[Rule]) -> Iterator[tuple[str, Col]]:
    for start in range(0, len(rules), BITS):
        flags = [
            F.when(rule.broken, F.lit(1 << bit).cast("long")).otherwise(F.lit(0).cast("long"))
            for bit, rule in enumerate(rules[start : start + BITS])
        ]
        yield _bit_column(prefix, start), reduce(Col.bitwiseOR, flags)


def _any(prefix: str, rules: list[Rule]) -> Col:
    """Whether a row breaks any of the rules whose breach rejects it."""
    found = F.lit(False)
    for start in range(0, len(rules), BITS):
        errors = sum(
            1 << bit for bit, rule in enumerate(rules[start : start + BITS]) if rule.severity == ERROR
        )
        bits = F.col(_bit_column(prefix, start))
        found = found | (bits.bitwiseAND(F.lit(errors).cast("long")) != 0)
    return found


def _breaks(prefix: str, number: int) -> Col:
    bit = F.lit(1 << number % BITS).cast("long")
    return F.col(_bit_column(prefix, number)).bitwiseAND(bit) != 0
