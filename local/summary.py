"""The summary of `make run`: read from the warehouse, written as JSON, printed as tables."""

import json
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from local.airflow import AirflowApi
from local.cells import table_cell
from local.cloud import Cloud
from medallion.products import Product
from medallion.sql import SQL, render

STATUSES = ("read", "valid", "rejected", "duplicate")


def run_metrics(cloud: Cloud, api: AirflowApi, dag: str, dag_run: str) -> dict[str, Any] | None:
    """What clean has counted in a run of a product's DAG; None when there was nothing to clean."""
    return read_beside_manifest(cloud, api, dag, dag_run, "metrics.json")


def read_beside_manifest(cloud: Cloud, api: AirflowApi, dag: str, dag_run: str, name: str) -> Any:
    """A JSON object that a run of a product's DAG has left in its folder; None when it had nothing to do."""
    run = (api.returned(dag, dag_run, "discover") or {}).get("run")
    if run is None:
        return None
    lake = cloud.storage().bucket(cloud.environment.buckets["lake"])
    return json.loads(lake.blob(f"runs/{dag}/{run}/{name}").download_as_bytes())


def summarize(
    cloud: Cloud,
    product: Product,
    steps: list[dict[str, Any]],
    training: list[dict[str, Any]],
    metrics: dict[str, Any] | None,
) -> dict[str, Any]:
    """What the run did and what the tables hold now.

    `rows` and `files` tell of every file in the ledger; promised: read = valid + rejected + duplicate.
    `rules` and `drift` tell of this run alone, by its `metrics`.
    """
    files = cloud.query(render("summary/ledger.sql", cloud.environment, product=product.name))
    gold = cloud.environment.datasets["gold"]
    return {
        "product": product.name,
        "published": any(step["step"] == "publish" and step["state"] == "success" for step in steps),
        "figures": _figures(cloud, product),
        "rows": {status: sum(file[f"rows_{status}"] for file in files) for status in STATUSES},
        "gold_rows": {
            table.table: cloud.query(f"SELECT COUNT(*) AS n FROM `{gold}.{table.table}`")[0]["n"]
            for table in product.gold
        },
        "model": _model(cloud, product.train) if product.train else None,
        "steps": steps,
        "training": training,
        "rules": metrics["rules"] if metrics else [],
        "drift": metrics["drift"] if metrics else {},
        "files": files,
    }


def print_summary(summary: dict[str, Any]) -> None:
    """Prints the summary for a person."""
    console = Console()
    if summary["figures"]:
        console.print(_pairs("Figures", summary["figures"]))
    console.print(_pairs("Rows", summary["rows"]))
    console.print(_pairs("Gold rows", summary["gold_rows"]))
    if summary["model"]:
        console.print(_pairs("Model", summary["model"]))
    rejected = [file for file in summary["files"] if file["state"] == "rejected"]
    if rejected:
        table = Table("File rejected as a whole", "Reason", title=None)
        for file in rejected:
            table.add_row(*map(table_cell, (file["uri"].rpartition("/")[2], file["reason"])))
        console.print(table)
    print_rules(console, summary["rules"])
    for line in drift_lines(summary["drift"]):
        console.print(table_cell(line))
    if not summary["published"]:
        console.print("Nothing new was found, and nothing was published.")
    seconds, end = summary["seconds"], "the run" if summary["model"] is None else "training"
    console.print(
        f"Services ready after {seconds['services_ready']} s; "
        f"from then to the end of {end} {seconds['ready_to_end']} s."
    )
    if summary.get("report"):
        console.print(f"Report page: {summary['report']}")


def print_rules(console: Console, rules: list[dict[str, Any]]) -> None:
    """Prints how many rows broke each rule; nothing when none did."""
    if not rules:
        return
    table = Table("Broken rule", "Column", "Severity", Column("Rows", justify="right"))
    for rule in sorted(rules, key=lambda rule: -rule["rows"]):
        shown = (rule["rule"], rule["column"], rule["severity"], f"{rule['rows']:,}")
        table.add_row(*map(table_cell, shown))
    console.print(table)


def drift_lines(drift: dict[str, Any]) -> list[str]:
    """What files have brought and lacked against the contract, in a line each."""
    lines = []
    for key in ("new_columns", "missing_columns"):
        named = [f"{name} (files: {files:,})" for name, files in drift.get(key, {}).items()]
        if named:
            lines.append(f"{key.replace('_', ' ').capitalize()}: {', '.join(named)}")
    return [*lines, *drift.get("notes", ())]


def _figures(cloud: Cloud, product: Product) -> dict[str, Any]:
    template = f"summary/{product.name}.sql"
    if not (SQL / template).exists():
        return {}
    return cloud.query(render(template, cloud.environment))[0]


def _model(cloud: Cloud, model: str) -> dict[str, Any]:
    """The live version of a model and how it did on its test snapshot."""
    bucket = cloud.storage().bucket(cloud.environment.buckets["models"])
    pointer = bucket.blob(f"{model}/live.json")
    if not pointer.exists():
        return {}
    version = json.loads(pointer.download_as_bytes())["version"]
    metrics = json.loads(bucket.blob(f"{model}/{version}/metrics.json").download_as_bytes())
    return {
        "name": model,
        "version": version,
        **{key: metrics[key] for key in ("snapshot_date", "n", "auc", "skill", "ece")},
    }


def _pairs(title: str, values: dict[str, Any]) -> Table:
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, value in values.items():
        table.add_row(name.replace("_", " "), _shown(value))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:,.2f}" if value == round(value, 2) else f"{value.normalize():,f}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
