"""Types every statement in sql/, in the order in which the platform runs them; part of `make check`."""

from collections.abc import Iterable, Iterator
from functools import partial
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import TemplateError

from local.googlesql import Table, own_views, tables_read
from local.kept import kept
from local.sql_incidents import condition_problems
from local.sql_places import copy_with_places, files_in, placed_problem, rendering_problem
from local.sql_script import Script
from local.sql_steps import GOLD, Step, product_steps
from medallion.contracts import Contract
from medallion.documents import ROOT
from medallion.environments import Environment
from medallion.errors import ConfigError
from medallion.gold import gold_definition
from medallion.products import GoldTable, Product
from medallion.sql import SQL, render

# Of the report's queries.
PARAMETERS = {"product": "STRING", "since": "DATE", "until": "DATE"}


def analyze(
    products: Iterable[tuple[Product, Contract]], environment: Environment, folder: Path = SQL
) -> Iterator[str]:
    """A line for each problem: the file in sql/, line and column, and what is wrong there.

    The scripts are those of each product's runs, gold tables, report, summary and training. It is a problem
    as well that a gold table reads another one without being built after it, and that a file in the folder
    is part of no script.
    """
    products = list(products)
    tables: dict[str, Table] = {}
    problems: dict[str, None] = {}  # in order, each once: runs and products share scripts
    used: set[str] = set()
    filtered = _filtered(products, environment)
    for dataset in environment.datasets.values():
        tables.update(own_views(dataset))
    with TemporaryDirectory() as temporary:
        placed = Path(temporary)
        copy_with_places(folder, placed)
        steps: list[Step] = [("ops/tables.sql", partial(render, "ops/tables.sql", environment, placed))]
        for product, contract in products:
            reads = {table.table: _reads(table, environment, placed) for table in product.gold}
            problems.update(dict.fromkeys(_dependency_problems(product, reads)))
            steps += product_steps(product, contract, environment, placed, _order(product, reads))
        for template, rendering in steps:
            if not (placed / template).exists():
                continue  # not every product has each of them
            try:
                sql = rendering()
            except (TemplateError, ConfigError) as error:
                problems[rendering_problem(error, template, placed)] = None
                continue
            used |= files_in(sql)
            # The platform's own scripts are rendered for each product here, also those that it runs for few.
            script = Script(sql, tables, PARAMETERS, filtered if template == GOLD else ())
            told = (placed_problem(problem, sql, template, folder) for problem in script.problems())
            problems.update(dict.fromkeys(told))
            tables = script.tables
    for product, _ in products:
        found = condition_problems(product, environment, tables)
        problems.update(dict.fromkeys(map(str, found)))
    yield from problems
    for file in sorted({path.relative_to(folder).as_posix() for path in folder.rglob("*.sql")} - used):
        yield f"sql/{file}:1:1: no script takes this file in. Next: add it to local/sql_steps.py."


def analyze_if_changed(
    products: Iterable[tuple[Product, Contract]], environment: Environment, folder: Path = SQL
) -> list[str]:
    """The lines of `analyze`, which are kept until something that they follow from has changed."""
    products = list(products)
    sources = [*folder.rglob("*.sql"), *(ROOT / "local").glob("*.py"), *(ROOT / "medallion").glob("*.py")]
    parts = [f"{path} {path.read_text(encoding='utf-8')}" for path in sorted(sources)]
    parts += [repr(products), repr(environment), version("zetasql")]
    return kept("sql_analysis", parts, lambda: analyze(products, environment, folder))


def _filtered(products: Iterable[tuple[Product, Contract]], environment: Environment) -> set[str]:
    """The silver tables that Terraform makes with require_partition_filter, as infra/bigquery.tf has it."""
    referenced = {reference.dataset for _, contract in products for reference in contract.references}
    silver = environment.datasets["silver"]
    names = {product.name for product, _ in products} - referenced
    return {f"{silver}.{name}{suffix}" for name in names for suffix in ("", "__superseded")}


def _reads(table: GoldTable, environment: Environment, folder: Path) -> dict[str, str]:
    """The gold tables that a gold table's SELECT and checks read, with the file that does."""
    try:
        definition = gold_definition(table, environment, "build", folder)
    except (TemplateError, ConfigError):
        return {}  # told when the script is rendered
    dataset = f"{environment.datasets['gold']}."
    return {
        name.removeprefix(dataset): next(iter(files_in(select)))
        for select in (*(check.select for check in definition.checks), definition.select)
        for name in tables_read(select)
        if name.startswith(dataset)
    }


def _dependency_problems(product: Product, reads: dict[str, dict[str, str]]) -> Iterator[str]:
    file = f"conf/products/{product.name}.yaml"
    for index, table in enumerate(product.gold):
        for name, reader in sorted(reads[table.table].items()):
            if name in reads and name not in (table.table, *table.after):
                expected = f"{name} among them, which sql/{reader} reads"
                yield str(ConfigError(file, f"gold.{index}.after", expected, list(table.after)))
    try:
        TopologicalSorter(_graph(product, reads)).prepare()
    except CycleError as error:
        circle = " after ".join(error.args[1])
        yield str(ConfigError(file, "gold", "an order in which the tables can be built", circle))


def _order(product: Product, reads: dict[str, dict[str, str]]) -> list[GoldTable]:
    tables = {table.table: table for table in product.gold}
    try:
        names = list(TopologicalSorter(_graph(product, reads)).static_order())
    except CycleError:
        names = list(tables)
    return [tables[name] for name in names]


def _graph(product: Product, reads: dict[str, dict[str, str]]) -> dict[str, set[str]]:
    return {
        table.table: ({*table.after, *reads[table.table]} & set(reads)) - {table.table}
        for table in product.gold
    }
