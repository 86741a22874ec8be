"""Values of the warehouse in the hands of people's programs: a spreadsheet's cell, and a terminal's."""

from typing import Any

from rich.text import Text

# What makes a formula of a cell, by OWASP's page on CSV injection; last, the first four in their wide forms.
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def csv_cell(value: Any) -> Any:
    """The value, but for a text that a spreadsheet would run: an apostrophe before it makes it a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def table_cell(value: Any) -> Text:
    """The value as it stands, whatever Rich or the terminal would take for markup or for a command."""
    text = "NULL" if value is None else str(value)
    return Text(
        "".join(letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in text)
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
