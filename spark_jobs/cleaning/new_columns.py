"""Columns that the contract doesn't know: their names, and their values as a JSON object."""

import re
from collections.abc import Callable

from pyspark.sql import Column as Col
from pyspark.sql import functions as F

from medallion.contracts import Contract
from spark_jobs.cleaning.parsing import without_tokens
from spark_jobs.cleaning.texts import nothing

MAX_LENGTH = 128
# BigQuery has names of its own that begin with _, and the publication's script some that end with __.
WRONG_LETTER, WRONG_START, WRONG_END = "[^a-z0-9_]", "^(?=[0-9_])|^$", "(?<=__)$"


def new_columns(names: tuple[str, ...], contract: Contract) -> dict[str, str]:
    """The columns among a file's that the contract doesn't know: the names they get, and those they have."""
    known = {source.lower() for column in contract.read_columns for source in column.sources}
    return {column_name(name, contract): name for name in names if name and name not in known}


def column_name(name: str, contract: Contract) -> str:
    """A name that any warehouse takes and that no other column has."""
    plain = re.sub(WRONG_START, "c", re.sub(WRONG_LETTER, "_", name.lower()))[:MAX_LENGTH]
    plain = f"{plain}_" if plain in contract.taken_names else plain
    return re.sub(WRONG_END, "c", plain)


def column_name_of(name: Col, contract: Contract) -> Col:
    """`column_name` for names that stand in rows."""
    plain = F.regexp_replace(F.regexp_replace(F.lower(name), WRONG_LETTER, "_"), WRONG_START, "c")
    plain = F.left(plain, F.lit(MAX_LENGTH))
    plain = F.when(plain.isin(*contract.taken_names), F.concat(plain, F.lit("_"))).otherwise(plain)
    return F.regexp_replace(plain, WRONG_END, "c")


def extra_of(new: dict[str, str], text: Callable[[str], Col], contract: Contract) -> Col:
    """The values of a file's new columns, where the contract evolves."""
    if not new or not contract.evolves:
        return nothing("string")
    values = (
        without_tokens(F.trim(text(name)), contract.null_tokens).alias(column) for column, name in new.items()
    )
    return F.to_json(F.struct(*values))


def extra_of_keys(row: Col, known: Col, contract: Contract) -> Col:
    """The same for a row (a JSON object) that names its own columns, but for the known ones."""
    if not contract.evolves:
        return nothing("string")
    new = F.map_filter(
        F.from_json(row, "map<string,string>"),
        lambda key, value: ~F.array_contains(known, key) & value.isNotNull(),
    )
    named = F.transform_keys(new, lambda key, _: column_name_of(key, contract))
    return F.when(F.size(named) > 0, F.to_json(named))
