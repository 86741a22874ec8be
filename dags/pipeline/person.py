"""Whom an erasure means: those whose rows hold a value, however it is written."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from airflow.exceptions import AirflowFailException

from medallion.contracts import Column, Contract
from medallion.sql import standing_alone
from pipeline.work import read_object

NUMBERS = ("INT64", "NUMERIC")
TELLING = ("STRING", *NUMBERS)  # types of columns by which persons are told


@dataclass(frozen=True)
class Person:
    """Whose rows are meant: those whose `column` holds `value`, which as a number has no needless zeros."""

    contract: Contract
    column: Column
    value: str

    @property
    def pattern(self) -> str:
        """The regular expression of a text in which the value stands by itself."""
        return standing_alone(self.value, number=self.column.sql_type in NUMBERS)

    def is_named(self, text: str) -> bool:
        """Whether the value stands somewhere in a text: all that a broken row can be asked."""
        return re.search(self.pattern, text) is not None

    def is_meant(self, value: object) -> bool:
        """Whether a value of the column is the person's, however it is written."""
        text = str(value).strip()
        if self.column.sql_type in NUMBERS:
            try:
                return Decimal(text) == Decimal(self.value)
            except ArithmeticError:
                return False
        return text == self.value

    def place(self, names: Sequence[str]) -> int | None:
        """The place of the column among a file's names, which are in small letters."""
        name = self.column.source_in(names)
        return None if name is None else names.index(name)


def read_request(contract: Contract, request: str) -> Person:
    """Whom a request means. Raises AirflowFailException for one that means nobody, and says no value."""
    try:
        asked = json.loads(read_object(request), parse_float=Decimal)
        name, asked_value = str(asked["column"]), asked["value"]
    except (ValueError, LookupError, TypeError):
        told = f"{request}: expected a JSON object with column and value, got something else"
        raise AirflowFailException(f"{told}. Next: leave another request.") from None
    told_by = {column.name: column for column in contract.stored_columns if column.protection is None}
    column = told_by.get(name)
    if column is None or not column.sources or column.sql_type not in TELLING:
        raise AirflowFailException(
            f"{request}: column: expected one of type {' or '.join(TELLING)} that silver of {contract.name} "
            f"shows as it came, got {name!r}. Next: ask for another column."
        )
    # true, a list or an object would be a text that stands in no row.
    is_plain = isinstance(asked_value, str | int | Decimal) and not isinstance(asked_value, bool)
    value = str(asked_value).strip() if is_plain else ""
    if column.sql_type != "STRING":
        value = plain_number(value, column)
    if not value:
        # What stands there instead may name the person all the same.
        raise AirflowFailException(
            f"{request}: value: expected one that {column.name}, of type {column.physical_type}, may hold, "
            "got something else. Next: leave a request with the value as silver shows it."
        )
    return Person(contract, column, value)


def plain_number(text: str, column: Column) -> str:
    """A number without needless zeros; empty for what a column can't hold."""
    numeric = column.sql_type == "NUMERIC"
    limit, digits = (10 ** (column.precision - column.scale), column.scale) if numeric else (2**63, 0)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return ""
    if not number.is_finite() or abs(number) >= limit:
        return ""
    before, point, after = f"{number or 0:f}".partition(".")
    after = after.rstrip("0")
    return f"{before}{point if after else ''}{after}" if len(after) <= digits else ""
