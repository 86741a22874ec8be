"""Columns that the contract doesn't know: their names, and their values as a JSON object."""

import re
from collections import Counter
from collections.abc import Callable
from hashlib import sha256

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.parsing import without_tokens
from spark_jobs.cleaning.texts import nothing

MAX_LENGTH = 128
DIGITS = 16  # of a name's hash, which tell it from others that would become the same
CUT_LENGTH = MAX_LENGTH - DIGITS - len("__")
OWN_NAME = f"__[0-9a-f]{{{DIGITS}}}$"  # nobody else may have such a name, so that none is met twice
# BigQuery has names of its own that begin with _, and the publication's script some that end with __.
WRONG_LETTER, WRONG_START, WRONG_END = "[^a-z0-9_]", "^(?=[0-9_])|^$", "(?<=__)$"


def new_columns(names: tuple[str, ...], contract: Contract) -> dict[str, str]:
    """The columns among a file's that the contract doesn't know: the names they get, and those they have.

    Where several would get one name, each gets one of its own, but the one that has that name already. Which
    name that is follows from its own, whatever their order.
    """
    known = {source.lower() for column in contract.read_columns for source in column.sources}
    plain = {name: column_name(name, contract) for name in names if name not in known}
    times = Counter(plain.values())
    named = {}
    for name, column in plain.items():
        is_shared = times[column] > 1 and name != column
        needs_own = is_shared or re.search(OWN_NAME, column)
        named[_own_name(name, column) if needs_own else column] = name
    return named


def column_name(name: str, contract: Contract) -> str:
    """A name that any warehouse takes and that no column of the contract has."""
    plain = re.sub(WRONG_START, "c", re.sub(WRONG_LETTER, "_", name.lower()))[:MAX_LENGTH]
    plain = f"{plain}_" if plain in contract.taken_names else plain
    return re.sub(WRONG_END, "c", plain)


def column_name_of(name: Col, contract: Contract) -> Col:
    """`column_name` for names that stand in rows."""
    plain = F.regexp_replace(F.regexp_replace(F.lower(name), WRONG_LETTER, "_"), WRONG_START, "c")
    plain = F.left(plain, F.lit(MAX_LENGTH))
    plain = F.when(plain.isin(*contract.taken_names), F.concat(plain, F.lit("_"))).otherwise(plain)
    return F.regexp_replace(plain, WRONG_END, "c")


def _own_name(name: str, column: str) -> str:
    return f"{column[:CUT_LENGTH]}__{sha256(name.encode()).hexdigest()[:DIGITS]}"


def column_names_of(names: Col, contract: Contract) -> Col:
    """`new_columns` for arrays of new names that stand in rows: maps from the names they have to new ones."""

    def entries(sorted_names: Col) -> Col:
        def entry(item: Col, place: Col) -> Col:
            name, column = item["name"], item["column"]
            before, after = (F.get(sorted_names, place + step)["column"] for step in (-1, 1))
            is_shared = column.eqNullSafe(before) | column.eqNullSafe(after)
            digits = F.left(F.sha2(name.cast("binary"), 256), F.lit(DIGITS))
            own = F.concat_ws("__", F.left(column, F.lit(CUT_LENGTH)), digits)
            needs_own = column.rlike(OWN_NAME) | (is_shared & (name != column))
            return F.struct(name, F.when(needs_own, own).otherwise(column))

        return F.transform(sorted_names, entry)

    items = F.transform(
        names, lambda name: F.struct(column_name_of(name, contract).alias("column"), name.alias("name"))
    )
    # Once sorted, a look to both sides finds whether a column is shared; the array of one has it sorted once.
    return F.map_from_entries(F.transform(F.array(F.array_sort(items)), entries)[0])


def extra_of(new: dict[str, str], text: Callable[[str], Col], contract: Contract) -> Col:
    """The values of a file's new columns, where the contract evolves."""
    if not new or not contract.evolves:
        return nothing("string")
    values = (
        without_tokens(F.trim(text(name)), contract.null_tokens).alias(column) for column, name in new.items()
    )
    return F.to_json(F.struct(*values))


def extra_of_keys(values: Col, names: Col, contract: Contract) -> Col:
    """The same for a row that names its own columns, from all its values by their names, and from what
    `column_names_of` makes of the new names.
    """
    if not contract.evolves:
        return nothing("string")
    new = F.map_filter(values, lambda key, value: names[key].isNotNull() & value.isNotNull())
    return F.when(F.size(new) > 0, F.to_json(F.transform_keys(new, lambda key, _: names[key])))
