"""Renders the files in sql/: dataset names from the environment, values as SQL literals."""

import datetime
import math
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment as Jinja
from jinja2 import FileSystemLoader, StrictUndefined

from medallion.documents import ROOT
from medallion.environments import Environment
from medallion.errors import MedallionError

SQL = ROOT / "sql"


def render(template: str, environment: Environment, folder: Path = SQL, **values: Any) -> str:
    """The SQL of a template in sql/ for an environment.

    A template sees the dataset names (`{{ silver }}`, `{{ gold }}`, …), the values given, and the filter
    `literal`. Raises jinja2.UndefinedError for a name that nobody gave.
    """
    jinja = Jinja(  # nosec B701: makes SQL, not HTML; values pass through `literal`
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    jinja.filters["literal"] = literal
    return jinja.get_template(template).render(**environment.datasets, **values)


def literal(value: Any) -> str:
    """A value as a GoogleSQL literal.

    Scripts take no query parameters on every engine that we run on, so their values are written out. Raises
    MedallionError for a value that has none.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{escaped}'"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    raise MedallionError(f"No SQL literal for a {type(value).__name__}: {value!r}")


def standing_alone(text: str, number: bool = False) -> str:
    """The regular expression, BigQuery's and Python's, of what holds a text between no letters and digits.

    A number may have more zeros than it needs.
    """
    before, after = "0*" if number else "", "0*" if number and "." in text else ""
    return f"(^|[^0-9A-Za-z]){before}{re.escape(text)}{after}([^0-9A-Za-z]|$)"
