"""Types every statement in sql/, in the order in which the platform runs them; part of `make check`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import TemplateError

from local.explain import table_fed
from local.forget import CUSTOMER
from local.googlesql import Table, own_views, tables_read
from local.kept import kept
from local.sql_incidents import condition_problems, incident_templates
from local.sql_places import copy_with_places, files_in, placed_problem, rendering_problem
from local.sql_script import Script
from medallion.contracts import EVOLVE, IGNORE, Contract
from medallion.documents import ROOT
from medallion.drift import Finding
from medallion.environments import Environment
from medallion.errors import ConfigError
from medallion.features import snapshot_script
from medallion.gold import gold_definition, refresh_script
from medallion.products import GoldTable, Product
from medallion.snapshots import SnapshotPlan
from medallion.sql import SQL, render

GOLD = "pipeline/gold.sql"
# In the order of the steps. A later run meets the tables as the first one left them.
FIRST_RUN = ("ledger", "owed", "referenced", "stage", "audit", "publish", "published", "references", "replay")
LATER_RUN = ("backfill", "stage", "audit", "changes", "publish", "replay")
ERASURE = ("done", "noted", "rejected", "files", "dates", "found", "erase")
# Of the report's queries.
PARAMETERS = {"product": "STRING", "since": "DATE", "until": "DATE"}
DAYS = tuple(date(2017, month, 1) for month in range(5, 10))
PLAN = SnapshotPlan(score_date=DAYS[4], test_date=DAYS[3], validation_date=DAYS[2], train_dates=DAYS[:2])

# A template's name, and what renders it.
Step = tuple[str, Callable[[], str]]


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
            steps += _product_steps(product, contract, environment, placed, _order(product, reads))
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
        yield f"sql/{file}:1:1: no script takes this file in. Next: add it to local/sql_analysis.py."


def analyze_if_changed(
    products: Iterable[tuple[Product, Contract]], environment: Environment, folder: Path = SQL
) -> list[str]:
    """The lines of `analyze`, which are kept until something that they follow from has changed."""
    products = list(products)
    sources = [*folder.rglob("*.sql"), *(ROOT / "local").glob("*sql*.py"), *(ROOT / "medallion").glob("*.py")]
    parts = [f"{path} {path.read_text(encoding='utf-8')}" for path in sorted(sources)]
    parts += [repr(products), repr(environment), version("zetasql")]
    return kept("sql_analysis", parts, lambda: analyze(products, environment, folder))


def _product_steps(
    product: Product, contract: Contract, environment: Environment, folder: Path, gold: Iterable[GoldTable]
) -> Iterator[Step]:
    def step(template: str, **values: Any) -> Step:
        return template, partial(render, template, environment, folder, **values)

    for name in FIRST_RUN:
        yield step(f"pipeline/{name}.sql", **_first_run(product, contract, environment))
    for name in LATER_RUN:
        yield step(f"pipeline/{name}.sql", **_later_run(product, contract, environment))
    yield step("pipeline/publish.sql", **{**_later_run(product, contract, environment), "replay": None})
    yield step("pipeline/newest.sql", product=product.name, partition_by=product.partition_by)
    for table in gold:
        yield GOLD, partial(refresh_script, product.name, table, environment, "first", folder)
    if product.documents:
        written = {**asdict(product.documents), "product": product.name, "build": "documents__first"}
        yield step("pipeline/documents.sql", **written, layout="", days=environment.staging_days)
        yield step("pipeline/documents_written.sql", **written)
    asked = {**_first_run(product, contract, environment), "key": contract.key, "patterns": contract.key}
    for name in ("versions", "rejected"):
        yield step(f"explain/{name}.sql", **asked)
    for table in gold:
        fed = {**asked, **table_fed(contract, table), "partition_date": PLAN.score_date}
        yield step("explain/fed.sql", **fed)
    shown = {table.table for table in product.gold}
    for path in sorted((folder / "report").glob("*.sql")) if product.report else ():
        if path.stem in shown or not (folder / "gold" / path.name).exists():
            yield step(f"report/{path.name}")
    for template, values in incident_templates(product, PLAN.score_date):
        yield step(template, **values)
    yield step("summary/ledger.sql", product=product.name)
    yield step(f"summary/{product.name}.sql")
    if product.train:
        day = {"snapshot_date": PLAN.score_date, "fingerprint": "gold"}
        scores = {"table": "scores", "days": environment.staging_days, **day}
        found = {"run": "first", "findings": [Finding("lines", "warn", False, "few")] * 2}
        yield step("training/history.sql")
        snapshot = partial(snapshot_script, product.train, "first", fingerprint="", uri="gs://lake/folder")
        for plan in (PLAN, SnapshotPlan(PLAN.score_date)):
            yield (
                "training/snapshot.sql",
                partial(snapshot, plan=plan, environment=environment, folder=folder),
            )
        yield step("training/scores_stage.sql", **scores)
        yield step("training/scored_day.sql", **scores)
        yield step("training/scores_checks.sql", product=product.train, **found)
        yield step("training/scores_publish.sql", **scores)
    theirs = {
        "model_tables": ("customer_features", "customer_scores") if product.train else (),
        "checked": [product.name],
    }
    for name in ERASURE:
        yield step(f"erasure/{name}.sql", **asked, **_person(contract), **theirs)


def _first_run(product: Product, contract: Contract, environment: Environment) -> dict[str, Any]:
    """What scripts in sql/pipeline may ask for."""
    return {
        "product": product.name,
        "run": "first",
        "release": "release",
        "table": f"{product.name}__first",
        "contract": contract,
        "partition_by": product.partition_by,
        "cluster_by": product.cluster_by,
        "max_rejected_ratio": product.max_rejected_ratio,
        "max_dates": 4_000,
        "evolved": ["drifted"] if contract.evolves else [],
        "left_out": "1 new column" if contract.evolves else None,
        "files": 1,
        "days": environment.staging_days,
        "replay": None,
        "fresh": True,
        "first": PLAN.train_dates[0],
        "last": PLAN.score_date,
        "where": "TRUE",
        "uri": None,
        "definitions": {table.table: "definition" for table in product.gold},
        "datasets": [product.name],
        "references": {product.name: contract.key},
        "folders": {product.name: "gs://lake/folder"},
    }


def _later_run(product: Product, contract: Contract, environment: Environment) -> dict[str, Any]:
    """By a changed contract, and a replay: whatever scripts distinguish is the other way round."""
    flag = replace(contract.columns[0], name="added_flag", sql_type="BOOL", required=False, protection=None)
    changed = replace(
        contract,
        columns=(*contract.columns, flag),
        delete_flag=None if contract.delete_flag else flag.name,
        new_columns=IGNORE if contract.evolves else EVOLVE,
    )
    return {
        **_first_run(product, changed, environment),
        "run": "later",
        "table": f"{product.name}__later",
        "replay": {"rows": 1, "fingerprint": "1"},
        "fresh": False,
        "uri": "gs://lake/folder/*.json",
    }


def _filtered(products: Iterable[tuple[Product, Contract]], environment: Environment) -> set[str]:
    """The silver tables that Terraform makes with require_partition_filter, as infra/bigquery.tf has it."""
    referenced = {reference.dataset for _, contract in products for reference in contract.references}
    silver = environment.datasets["silver"]
    names = {product.name for product, _ in products} - referenced
    return {f"{silver}.{name}{suffix}" for name in names for suffix in ("", "__superseded")}


def _person(contract: Contract) -> dict[str, Any]:
    """What scripts in sql/erasure ask for beside."""
    file = {"uri": "gs://bronze/file", "known": 1, "generation": 2, "size": 3, "checksum": "checksum"}
    return {
        "column": next((c.name for c in contract.stored_columns if c.name == CUSTOMER), contract.key[0]),
        "value": "1",
        "pattern": "1",
        "mentioned": True,
        "found_table": "found",
        "anew": True,
        "part": [{**file, "reason": "reason", "rejected": "md5"}],
        "dates": [{"partition_date": day, "shown": True} for day in DAYS],
        "models": ["version"],
    }


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
