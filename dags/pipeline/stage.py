"""stage: load jobs bring a run's rows and ledger lines to staging tables."""

from typing import Any

from airflow.exceptions import AirflowFailException
from airflow.sdk import Context, TaskGroup, task

from medallion.contracts import Contract
from medallion.environments import Environment
from medallion.odcs import parse_contract
from medallion.products import Product
from pipeline.bronze import landed
from pipeline.scripts import Job, job_task, load, run_script
from pipeline.work import labels, manifest_of, staging_table

STEP = "stage"

FILES_TEXTS = ("uri", "checksum", "state", "reason", "format", "header")
FILES_SCHEMA = [
    *({"name": name, "type": "STRING"} for name in FILES_TEXTS),
    *({"name": f"{name}_columns", "type": "STRING", "mode": "REPEATED"} for name in ("new", "missing")),
    *({"name": name, "type": "INTEGER"} for name in ("file", "generation", "size")),
    *({"name": f"rows_{name}", "type": "INTEGER"} for name in ("read", "valid", "rejected", "duplicate")),
]


def stage(product: Product, environment: Environment) -> TaskGroup:
    """The step's tasks: see that the files are still what was read, make the tables and a view, load both."""

    def rows(context: Context) -> Job:
        manifest = manifest_of(context)
        contract = parse_contract(manifest.contract, f"contract of run {manifest.run}")
        return f"{product.name}-{manifest.run}-stage-rows", load(
            environment,
            f"{staging_table(product.name, manifest.run)}__rows",
            labels(product.name, STEP, manifest.run),
            # A star goes on through folders, as Spark's _temporary.
            sourceUris=[f"{manifest.output}/rows/part-*.parquet"],
            sourceFormat="PARQUET",
            schema={"fields": rows_schema(contract)},
        )

    def files(context: Context) -> Job:
        manifest = manifest_of(context)
        return f"{product.name}-{manifest.run}-stage-files", load(
            environment,
            f"{staging_table(product.name, manifest.run)}__files",
            labels(product.name, STEP, manifest.run),
            sourceUris=[f"{manifest.output}/files.jsonl"],
            sourceFormat="NEWLINE_DELIMITED_JSON",
            schema={"fields": FILES_SCHEMA},
        )

    days = {"days": environment.staging_days}
    with TaskGroup(STEP) as group:
        # Each run does it anew: what an earlier one staged expires by itself.
        tables = run_script(
            STEP, product, environment, task_id="tables", values=lambda *_: days, within_run=True
        )
        loads = [
            job_task(name, job, environment, within_run=True)
            for name, job in (("rows", rows), ("files", files))
        ]
        unchanged(product, environment) >> tables >> loads
    return group


def unchanged(product: Product, environment: Environment) -> Any:
    """A task that fails when a file was overwritten since discover saw it.

    Spark reads the newest version of an object, whatever the manifest says; the next run takes it as new.
    A replay reads no file.
    """

    @task(task_id="unchanged")
    def compare(**context: Any) -> None:
        manifest = manifest_of(context)  # type: ignore[arg-type]
        if manifest.replay:
            return
        now = landed(product, environment)
        moved = [file.uri for file in manifest.files if (file.uri, file.generation) not in now]
        if moved:
            raise AirflowFailException(
                f"{len(moved)} files were overwritten or deleted while they were read, {moved[0]} among "
                "them; nothing is published. Next: run the DAG again, which takes what is there now."
            )

    return compare()


def rows_schema(contract: Contract) -> list[dict[str, Any]]:
    """Schema of the staged rows, in the load job's words."""
    columns = [
        _field(column.name, column.sql_type, column.precision, column.scale)
        for column in contract.stored_columns
    ]
    extra = [_field("extra", "STRING")] if contract.evolves else []
    return [
        *columns,
        *extra,
        _field("key_hash", "INT64"),
        _field("row_hash", "INT64"),
        _field("file__", "INT64"),
        _field("row__", "INT64"),
        _field("verdict__", "STRING"),
    ]


def _field(name: str, sql_type: str, precision: int = 0, scale: int = 0) -> dict[str, Any]:
    if sql_type == "NUMERIC":
        return {"name": name, "type": sql_type, "precision": str(precision), "scale": str(scale)}
    return {
        "name": name,
        "type": {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}.get(sql_type, sql_type),
    }
