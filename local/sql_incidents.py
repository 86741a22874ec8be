"""The part of `make check` that is about alerts: their conditions, and the SQL of incidents and status."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from zetasql import types as ast
from zetasql.core.exceptions import ServerError

from local.googlesql import Table, analyze, message_of, parse, register, unregister
from local.sql_partitions import scans
from medallion.environments import Environment
from medallion.errors import ConfigError
from medallion.product_checks import file_of
from medallion.products import Product


def incident_templates(product: Product, day: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """The templates in sql/incidents and sql/status, with values as the platform gives them."""
    named = {"product": product.name}
    noted = {"told_on": day, "run": "first", "rows": 1, "detail": "detail", "command": "command"}
    for table in product.gold:
        asked = {"partition_by": table.partition_by, "newest": day, "where": "TRUE"}
        yield "incidents/condition.sql", {"table": table.table, **asked}
    yield "incidents/shown.sql", {**named, "tables": [table.table for table in product.gold]}
    yield "incidents/open.sql", named
    yield "incidents/note.sql", {**named, "incident": "alert.name", **noted}
    yield "incidents/close.sql", {**named, "incident": "alert.name"}
    yield "status/runs.sql", {}
    yield "status/incidents.sql", {}
    yield "status/rejected.sql", named


def condition_problems(
    product: Product, environment: Environment, tables: Mapping[str, Table]
) -> Iterator[ConfigError]:
    """Where a condition is not one boolean expression over its table, or names what that doesn't have.

    `tables` are those that the product's SQL has made.
    """
    for index, alert in enumerate(product.alerts):
        name = f"{environment.datasets['gold']}.{alert.table}"
        if name not in tables or not tables[name].columns:
            continue  # what makes it is wrong, and told
        reason = _reason(alert.where, name, tables)
        if reason:
            expected = f"one boolean expression over {name} ({reason})"
            yield ConfigError(file_of(product), f"alerts.{index}.where", expected, alert.where)


def _reason(where: str, name: str, tables: Mapping[str, Table]) -> str | None:
    """Why a text is no such expression, or None."""
    try:
        # By itself: within brackets of ours, brackets of its own could end them.
        statements = parse(f"SET x =\n{where}").statement_list
        if len(statements) != 1 or not isinstance(statements[0], ast.ASTSingleAssignment):
            return "it is more than one statement"
        catalog = register(tables, {})
        try:
            query = analyze(f"SELECT COUNT(*) FROM `{name}` WHERE (\n{where}\n)", catalog)
        finally:
            unregister(catalog)
    except ServerError as error:
        return message_of(error)
    read = sorted(scan.table.full_name for scan, _ in scans(query))
    return None if read == [name] else f"it reads {', '.join(read)}"
