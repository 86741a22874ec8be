"""Which rules each row breaks. Few rows break any: what is only for them is kept away from all others."""

import json
from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import ERROR, WARNING, Contract
from spark_jobs.cleaning.parsing import without_tokens
from spark_jobs.cleaning.rules import Rule, Subject, breaks_text_rule, rules_of
from spark_jobs.cleaning.texts import TEXT, TYPED

SHOWN = 200  # characters of a row that has no columns to name
VALID, REJECTED, DUPLICATE = "valid", "rejected", "duplicate"


def contract_rules(contract: Contract) -> list[Rule]:
    """All rules of a contract, for rows with the texts that `judge` keeps."""
    places, texts = _places(contract), F.col("texts__")
    return rules_of(contract, lambda name: without_tokens(texts[places[name]], contract.null_tokens))


def judge(rows: DataFrame, contract: Contract, rules: list[Rule], keep_raw: bool) -> DataFrame:
    """Adds rejected, and broken: the numbers of the rules that a row breaks, null where it breaks none.

    Texts (an array, by _places) stay with rows that break a rule, raw with rejected ones unless it is to be
    kept.
    """
    of_values = [rule for rule in rules if rule.subject is Subject.VALUE]
    of_derived = [rule for rule in rules if rule.subject is Subject.DERIVED]
    mistaken = (breaks_text_rule(column, contract.null_tokens) for column in contract.read_columns)
    unsound = F.col("fault__").isNotNull() | _any(mistaken) | _any_broken(of_values, ERROR)
    rows = rows.withColumn("sound__", F.col("is_row__") & ~unsound)
    rows = rows.withColumn(
        "rejected__", F.col("is_row__") & (~F.col("sound__") | _any_broken(of_derived, ERROR))
    )
    warned = F.col("is_row__") & _any_broken([*of_values, *of_derived], WARNING)
    rows = rows.withColumn("marked__", F.col("rejected__") | warned)
    kept = (name for name in rows.columns if name != "raw" and not name.startswith((TEXT, TYPED)))
    rows = rows.select(
        *kept,
        F.when(F.col("marked__"), F.array(*_texts(contract).values())).alias("texts__"),
        (F.col("raw") if keep_raw else F.when(F.col("rejected__"), F.col("raw"))).alias("raw"),
    )
    # In a step of its own, which Spark does not compile into one method with the steps before: it compiles no
    # array_compact. Java would spend more time on a method for all of it than on the rows.
    numbers = (F.when(_speaks(rule) & rule.broken, number) for number, rule in enumerate(rules))
    broken = F.when(F.col("marked__"), F.array_compact(F.array(*numbers)))
    return rows.withColumn("broken__", broken).drop("marked__", "sound__", "fault__")


def verdict(contract: Contract, rules: list[Rule]) -> Col:
    """What is to be told of a judged row with a status, as a JSON object: its status, raw where it is kept,
    and the reasons ({column, rule, value}) of a rejected one. Null for a valid row without raw.
    """
    told = F.to_json(F.struct("status", reasons(contract, rules).alias("reasons"), "raw"))
    return F.when((F.col("status") != VALID) | F.col("raw").isNotNull(), told)


def reasons(contract: Contract, rules: list[Rule]) -> Col:
    """The rules that reject a row, as array<struct<column, rule, value>>; null for a row that none does."""
    places = _places(contract)
    table = [
        {"column": rule.column, "name": rule.name, "error": rule.severity == ERROR, "at": places[rule.column]}
        for rule in rules
    ]
    kind = "ARRAY<STRUCT<column: STRING, name: STRING, error: BOOLEAN, at: INT>>"
    known = F.from_json(F.lit(json.dumps(table)), kind)

    def reason(number: Col) -> Col:
        rule = known[number]
        text = F.col("texts__")[rule["at"]]
        value = F.when((rule["at"] == places[""]) | ~text.isin(*contract.null_tokens), text)
        return F.struct(rule["column"].alias("column"), rule["name"].alias("rule"), value.alias("value"))

    rejecting = F.filter("broken__", lambda number: known[number]["error"])
    return F.when(F.col("rejected__"), F.transform(rejecting, reason))


def _texts(contract: Contract) -> dict[str, Col]:
    """What a row shows of itself, by column; for rules without one, its beginning."""
    return {
        "": F.left("raw", F.lit(SHOWN)),
        **{column.name: F.col(TEXT + column.name) for column in contract.read_columns},
        **{column.name: F.col(column.name).cast("string") for column in contract.derived_columns},
    }


def _places(contract: Contract) -> dict[str, int]:
    """The places of texts in their array."""
    names = ("", *(column.name for column in (*contract.read_columns, *contract.derived_columns)))
    return {name: place for place, name in enumerate(names)}


def _speaks(rule: Rule) -> Col:
    """Whether a rule speaks for a row, by what it looks at."""
    match rule.subject:
        case Subject.LINE:
            return F.lit(True)
        case Subject.DERIVED:
            return F.col("sound__")
        case _:
            return F.col("fault__").isNull()


def _any_broken(rules: list[Rule], severity: str) -> Col:
    return _any(rule.broken for rule in rules if rule.severity == severity)


def _any(conditions: Iterable[Col]) -> Col:
    return reduce(lambda one, other: one | other, conditions, F.lit(False))
