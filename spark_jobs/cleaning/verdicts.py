"""Which rules each row breaks. Few rows break any: what is only for them is kept away from all others."""

import json
from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column as Col
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from medallion.contracts import ERROR, WARNING, Contract
from spark_jobs.cleaning.metrics import REJECTED, VALID
from spark_jobs.cleaning.parsing import without_tokens
from spark_jobs.cleaning.rules import Rule, Subject, breaks_text_rule, rules_of, tell_broken
from spark_jobs.cleaning.texts import TEXT, TYPED, nothing

SHOWN = 200  # characters of a row that has no columns to name


def contract_rules(contract: Contract) -> list[Rule]:
    """All rules of a contract, for rows with the texts that `judge` keeps."""
    texts = _texts(contract)
    return rules_of(contract, lambda name: without_tokens(texts[name], contract.null_tokens))


def judge(rows: DataFrame, contract: Contract, rules: list[Rule], keep_raw: bool) -> DataFrame:
    """Adds rejected; sound (no rule is broken but such on derived values); and texts, an array of what was
    read by column, for rows that break a rule. Raw stays with rejected rows, unless it is to be kept.
    """
    of_values = [rule for rule in rules if rule.subject is Subject.VALUE]
    of_derived = [rule for rule in rules if rule.subject is Subject.DERIVED]
    mistaken = (breaks_text_rule(column, contract.null_tokens) for column in contract.read_columns)
    unsound = F.col("fault__").isNotNull() | _any(mistaken) | _any_broken(of_values, ERROR)
    rows = rows.withColumn("sound__", ~unsound)
    rows = rows.withColumn("rejected__", ~F.col("sound__") | _any_broken(of_derived, ERROR))
    marked = F.col("rejected__") | _any_broken([*of_values, *of_derived], WARNING)
    kept = (name for name in rows.columns if name != "raw" and not name.startswith((TEXT, TYPED)))
    return rows.select(
        *kept,
        F.when(marked, F.array(*(TEXT + column.name for column in contract.read_columns))).alias("texts__"),
        (F.col("raw") if keep_raw else F.when(F.col("rejected__"), F.col("raw"))).alias("raw"),
    )


def verdict(contract: Contract, rules: list[Rule]) -> Col:
    """What is to be told of a judged row, as a JSON object: its status, raw where it is kept, and the reasons
    ({column, rule, value}) of a rejected one. Null for a valid row without raw.
    """
    status = F.when(F.col("rejected__"), REJECTED).otherwise(VALID).alias("status")
    told = F.to_json(F.struct(status, reasons(contract, rules).alias("reasons"), "raw"))
    return F.when(F.col("rejected__") | F.col("raw").isNotNull(), told)


def reasons(contract: Contract, rules: list[Rule]) -> Col:
    """The rules that reject a row, as array<struct<column, rule, value>>; null for a row that none does."""
    names, texts = zip(*_texts(contract).items(), strict=True)
    table = [{"column": rule.column, "name": rule.name, "at": names.index(rule.column)} for rule in rules]
    known = F.from_json(F.lit(json.dumps(table)), "ARRAY<STRUCT<column: STRING, name: STRING, at: INT>>")

    def rejecting(broken: dict[int, Col]) -> Col:
        numbers = (F.when(broken[n], n) for n in broken if rules[n].severity == ERROR)
        # Of a contract whose rules all warn no number is left, and an array of nothing has another type.
        return F.array_compact(F.array(nothing("int"), *numbers))

    def told(shown: Col) -> Col:
        def reason(number: Col) -> Col:
            rule = known[number]
            text = shown[rule["at"]]
            value = F.when((rule["column"] == "") | ~text.isin(*contract.null_tokens), text)
            return F.struct(rule["column"].alias("column"), rule["name"].alias("rule"), value.alias("value"))

        return F.transform(tell_broken(rules, rejecting), reason)

    # Spark would make what is shown anew for each use; the array of one has it made once.
    return F.when(F.col("rejected__"), F.transform(F.array(F.array(*texts)), told)[0])


def _texts(contract: Contract) -> dict[str, Col]:
    """What a judged row that breaks a rule shows of itself, by column; without one, its beginning."""
    return {
        "": F.left("raw", F.lit(SHOWN)),
        **{column.name: F.col("texts__")[place] for place, column in enumerate(contract.read_columns)},
        **{column.name: F.col(column.name).cast("string") for column in contract.derived_columns},
    }


def _any_broken(rules: list[Rule], severity: str) -> Col:
    return _any(rule.broken for rule in rules if rule.severity == severity)


def _any(conditions: Iterable[Col]) -> Col:
    return reduce(lambda one, other: one | other, conditions, F.lit(False))
