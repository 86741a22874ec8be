"""Tasks and questions for BigQuery, from the files in sql/."""

from collections.abc import Callable
from typing import Any

from airflow.exceptions import AirflowFailException
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.sdk import Context
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.bigquery import Client, QueryJob, QueryJobConfig, Row

from medallion.contracts import Contract
from medallion.environments import Environment
from medallion.odcs import parse_contract
from medallion.products import Product
from medallion.sql import render
from operators.bigquery import BigQueryJobOperator, is_passing, told_by
from pipeline.work import found, labels, manifest_of, staging_table

Job = tuple[str, dict[str, Any]]  # the identity of the work, and BigQuery's configuration of it


def run_script(
    step: str,
    product: Product,
    environment: Environment,
    task_id: str | None = None,
    values: Callable[[Context, Contract], dict[str, Any]] = lambda context, contract: {},
    **arguments: Any,
) -> BigQueryJobOperator:
    """A task that runs sql/pipeline/<step>.sql for a run.

    The script sees what `run_values` tells, and `values`.
    """

    def configure(context: Context) -> Job:
        known = run_values(product, context)
        sql = render(f"pipeline/{step}.sql", environment, **known, **values(context, known["contract"]))
        identity = f"{product.name}-{known['run']}-{step}"
        return identity, script(environment, sql, labels(product.name, step, known["run"]))

    return job_task(task_id or step, configure, environment, **arguments)


def run_values(product: Product, context: Context) -> dict[str, Any]:
    """What scripts know of a run: product, run, release, `table`, the name of its staging table, the contract
    that the manifest carries, and `replay`, what a replay selected, or None.
    """
    manifest = manifest_of(context)
    return {
        "product": product.name,
        "run": manifest.run,
        "release": manifest.release,
        "table": staging_table(product.name, manifest.run),
        "contract": parse_contract(manifest.contract, f"contract of run {manifest.run}"),
        "replay": found(context).get("replay"),
    }


def job_task(
    task_id: str, configure: Callable[[Context], Job], environment: Environment, **arguments: Any
) -> BigQueryJobOperator:
    """A task that submits or adopts the job that `configure` describes."""
    return BigQueryJobOperator(
        task_id=task_id,
        configure=configure,
        project_id=environment.project,
        location=environment.bigquery_location,
        deferrable=True,
        poll_interval=environment.spark.poll_seconds,
        kept_days=environment.staging_days - 1,
        noted_in=f"{environment.project}.{environment.datasets['ops']}.jobs",
        **arguments,
    )


def script(environment: Environment, sql: str, named: dict[str, str]) -> dict[str, Any]:
    """Configuration of a job that runs a script, under labels that say for what."""
    limit = str(environment.max_bytes_billed)
    return {"query": {"query": sql, "useLegacySql": False, "maximumBytesBilled": limit}, "labels": named}


def load(environment: Environment, table: str, named: dict[str, str], **source: Any) -> dict[str, Any]:
    """Configuration of a job that loads objects into a staging table, in place of what it holds."""
    destination = {
        "projectId": environment.project,
        "datasetId": environment.datasets["staging"],
        "tableId": table,
    }
    return {
        "load": {**source, "destinationTable": destination, "writeDisposition": "WRITE_TRUNCATE"},
        "labels": named,
    }


def client(environment: Environment) -> Client:
    """A client of BigQuery, for questions whose answer a task needs itself."""
    made = BigQueryHook().get_client(project_id=environment.project, location=environment.bigquery_location)
    made.default_query_job_config = QueryJobConfig(maximum_bytes_billed=environment.max_bytes_billed)
    return made


def query(environment: Environment, template: str, **values: Any) -> list[Row]:
    """Rows of a query in sql/. Wrong SQL fails the task for good; what may pass is left to its next try."""
    try:
        return list(
            client(environment).query(render(template, environment, **values), job_retry=None).result()
        )
    except BadRequest as error:
        if is_passing(told_by(error)):
            raise
        raise AirflowFailException(f"sql/{template}: {error.message}") from error


def dry_run(environment: Environment, sql: str) -> QueryJob:
    """A query that BigQuery checks and plans, but doesn't run; raises what is wrong with it."""
    return client(environment).query(sql, job_config=QueryJobConfig(dry_run=True), job_retry=None)


def table_columns(
    environment: Environment, dataset: str, table: str, partition_by: str | None = None
) -> dict[str, str]:
    """The columns that a table has, with their types; none where there is no table.

    Of a table that asks for a filter on its partitions, `partition_by` is the DATE column.
    """
    every = f" WHERE {partition_by} >= DATE '0001-01-01'" if partition_by else ""
    try:
        planned = dry_run(environment, f"SELECT * FROM `{environment.datasets[dataset]}.{table}`{every}")
    except NotFound:
        return {}
    return {field.name: field.field_type for field in planned.schema or ()}
