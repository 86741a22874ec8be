"""The templates in sql/ that a product's runs render, in their order, each with values to type it by."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from local.explain import table_fed
from local.forget import CUSTOMER
from local.sql_incidents import incident_templates
from medallion.contracts import EVOLVE, IGNORE, Contract
from medallion.drift import Finding
from medallion.environments import Environment
from medallion.features import snapshot_script
from medallion.gold import refresh_script
from medallion.products import GoldTable, Product
from medallion.snapshots import SnapshotPlan
from medallion.sql import render

GOLD = "pipeline/gold.sql"
# In the order of the steps. A later run meets the tables as the first one left them.
FIRST_RUN = ("ledger", "owed", "referenced", "stage", "audit", "publish", "published", "references", "replay")
LATER_RUN = ("backfill", "stage", "audit", "changes", "publish", "replay")
ERASURE = ("done", "noted", "rejected", "files", "dates", "found", "erase")
DAYS = tuple(date(2017, month, 1) for month in range(5, 10))
PLAN = SnapshotPlan(score_date=DAYS[4], test_date=DAYS[3], validation_date=DAYS[2], train_dates=DAYS[:2])

# A template's name, and what renders it.
Step = tuple[str, Callable[[], str]]


def product_steps(
    product: Product, contract: Contract, environment: Environment, folder: Path, gold: Iterable[GoldTable]
) -> Iterator[Step]:
    """The steps of a product, whose gold tables are given in the order in which they are built; the folder is
    that of the templates, of which a product need not have each.
    """

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
