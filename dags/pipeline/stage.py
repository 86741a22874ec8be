"""stage: load jobs bring a run's rows and ledger lines to staging tables."""

from typing import Any

from airflow.sdk import Context, TaskGroup

from medallion.config import Environment, Product
from medallion.contracts import Contract, parse_contract
from medallion.manifest import Manifest
from medallion.sql import render
from operators.bigquery import BigQueryJobOperator
from pipeline.work import bigquery, labels, manifest_of, script, staging_table

STEP = "stage"

FILES_SCHEMA = [
    *({"name": name, "type": "STRING"} for name in ("uri", "checksum", "state", "reason")),
    *({"name": name, "type": "INTEGER"} for name in ("generation", "size")),
    *({"name": f"rows_{name}", "type": "INTEGER"} for name in ("read", "valid", "rejected", "duplicate")),
]


def stage(product: Product, environment: Environment) -> TaskGroup:
    """The step's tasks: make the tables, then load both."""

    def tables(context: Context) -> tuple[str, dict[str, Any]]:
        manifest = manifest_of(context)
        sql = render(
            "pipeline/stage.sql",
            environment,
            contract=_contract(manifest),
            table=staging_table(product.name, manifest.run),
            days=environment.staging_days,
        )
        return f"{product.name}-{manifest.run}-stage-tables", script(sql, product, STEP)

    def rows(context: Context) -> tuple[str, dict[str, Any]]:
        manifest = manifest_of(context)
        source = {
            "sourceUris": [f"{manifest.output}/rows/*.parquet"],
            "sourceFormat": "PARQUET",
            "parquetOptions": {"enableListInference": True},
            "schema": {"fields": rows_schema(_contract(manifest))},
        }
        return f"{product.name}-{manifest.run}-stage-rows", load(manifest, "", source)

    def files(context: Context) -> tuple[str, dict[str, Any]]:
        manifest = manifest_of(context)
        source = {
            "sourceUris": [f"{manifest.output}/files.jsonl"],
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "schema": {"fields": FILES_SCHEMA},
        }
        return f"{product.name}-{manifest.run}-stage-files", load(manifest, "__files", source)

    def load(manifest: Manifest, suffix: str, source: dict[str, Any]) -> dict[str, Any]:
        destination = {
            "projectId": environment.project,
            "datasetId": environment.datasets["staging"],
            "tableId": staging_table(product.name, manifest.run) + suffix,
        }
        return {
            "load": {**source, "destinationTable": destination, "writeDisposition": "WRITE_TRUNCATE"},
            "labels": labels(product.name, STEP),
        }

    with TaskGroup(STEP) as group:
        made = BigQueryJobOperator(task_id="tables", configure=tables, **bigquery(environment))
        loads = [
            BigQueryJobOperator(task_id=task_id, configure=configure, **bigquery(environment))
            for task_id, configure in (("rows", rows), ("files", files))
        ]
        made >> loads
    return group


def rows_schema(contract: Contract) -> list[dict[str, Any]]:
    """Schema of the staged rows, in the load job's words."""
    columns = [
        _field(column.name, column.sql_type, column.precision, column.scale) for column in contract.columns
    ]
    reason = [_field(name, "STRING") for name in ("column", "rule", "value")]
    return [
        *columns,
        _field("row_hash", "INT64"),
        _field("source_file", "STRING"),
        _field("source_generation", "INT64"),
        _field("status", "STRING"),
        {"name": "reasons", "type": "RECORD", "mode": "REPEATED", "fields": reason},
        _field("raw", "STRING"),
    ]


def _field(name: str, sql_type: str, precision: int = 0, scale: int = 0) -> dict[str, Any]:
    if sql_type == "NUMERIC":
        return {"name": name, "type": sql_type, "precision": str(precision), "scale": str(scale)}
    return {
        "name": name,
        "type": {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(sql_type, sql_type),
    }


def _contract(manifest: Manifest) -> Contract:
    return parse_contract(manifest.contract, f"contract of run {manifest.run}")
