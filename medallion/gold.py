"""A gold table as its files in sql/gold say: the SELECT with its fingerprint, and the checks beside it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from medallion.environments import Environment
from medallion.errors import ConfigError
from medallion.products import GoldTable
from medallion.sql import SQL, render

HEAD = re.compile(r"-- #(fail|warn) ([a-z][a-z0-9_]*): (.+)")


@dataclass(frozen=True)
class Check:
    """A SELECT of the keys of rows that break `sentence`; severity: `fail` (stops the run) or `warn`."""

    name: str
    severity: str
    sentence: str
    select: str


@dataclass(frozen=True)
class Definition:
    """What a gold table is made by; `description` is the first comment line of its SELECT.

    `fingerprint` changes with the SELECT and the table's layout: what is shown by an older one is owed anew.
    """

    select: str
    description: str
    checks: tuple[Check, ...]
    fingerprint: str


def gold_definition(table: GoldTable, environment: Environment, build: str, folder: Path = SQL) -> Definition:
    """Reads sql/gold/<table>.sql and, where there is one, <table>.checks.sql for a version in `build`.

    Raises ConfigError for checks without a head.
    """
    select = render(f"gold/{table.table}.sql", environment, folder).rstrip()
    layout = f"{table.partition_by} {table.cluster_by} {table.rebuild}"
    first, _, _ = select.partition("\n")
    return Definition(
        select,
        description=first.removeprefix("--").strip(),
        checks=_checks(table.table, environment, build, folder),
        fingerprint=hashlib.sha256(f"{layout}\n{select}".encode()).hexdigest()[:16],
    )


def refresh_script(
    product: str, table: GoldTable, environment: Environment, run: str, folder: Path = SQL
) -> str:
    """The script that refreshes a product's table; the new version and its checks are named after the run."""
    build = f"{table.table}__gold__{identifier(run)}"
    definition = gold_definition(table, environment, f"{environment.datasets['staging']}.{build}", folder)
    return render(
        "pipeline/gold.sql",
        environment,
        folder,
        product=product,
        run=run,
        step="gold",
        table=table.table,
        build=build,
        select=definition.select,
        checks=definition.checks,
        definition=definition.fingerprint,
        description=definition.description,
        rebuild=table.rebuild,
        partition_by=table.partition_by,
        cluster_by=table.cluster_by,
        days=environment.staging_days,
    )


def identifier(text: str) -> str:
    """A text in letters, digits and underscores, as part of a table's or a job's name."""
    return re.sub(r"[^A-Za-z0-9]", "_", text)


def _checks(table: str, environment: Environment, build: str, folder: Path) -> tuple[Check, ...]:
    name = f"gold/{table}.checks.sql"
    if not (folder / name).exists():
        return ()
    checks = []
    text = render(name, environment, folder, build=build)
    for statement in filter(None, map(str.strip, re.split(r";\s*(?:\n|$)", text))):
        head, _, select = statement.partition("\n")
        match = HEAD.fullmatch(head)
        if match is None:
            raise ConfigError(f"sql/{name}", "a check", "-- #fail or #warn, a name and a sentence", head)
        checks.append(Check(name=match[2], severity=match[1], sentence=match[3], select=select))
    return tuple(checks)
