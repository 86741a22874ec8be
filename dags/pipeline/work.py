"""What the steps of a run hand on: discover's answer, and the manifest behind it."""

import re
from datetime import timedelta
from typing import Any

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Context
from google.api_core.exceptions import BadRequest
from google.cloud.bigquery import Client, Row

from medallion.config import Environment, Product
from medallion.manifest import Manifest
from medallion.sql import render

DISCOVER = "discover"

# Templates of what discover returned, for fields that Airflow renders.
RUN = "{{ ti.xcom_pull(task_ids='discover')['run'] }}"
MANIFEST = "{{ ti.xcom_pull(task_ids='discover')['manifest'] }}"
RELEASE = "{{ ti.xcom_pull(task_ids='discover')['release'] }}"

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def found(context: Context) -> dict[str, str]:
    """What discover returned: run, manifest (a URI) and release; empty where only gold is owed."""
    return context["ti"].xcom_pull(task_ids=DISCOVER)


def manifest_of(context: Context) -> Manifest:
    """The manifest of this run."""
    bucket, _, name = found(context)["manifest"].removeprefix("gs://").partition("/")
    return Manifest.from_json(GCSHook().download(bucket_name=bucket, object_name=name))


def skip_when_nothing_is_new(context: Context) -> None:
    """Skips the steps before gold when the run is there for gold's sake alone."""
    if not found(context):
        raise AirflowSkipException("No new files; an earlier run's changes are still to reach gold.")


def staging_table(product: str, run: str) -> str:
    """Name of a run's staging table."""
    return f"{product}__{run}"


def labels(product: str, step: str) -> dict[str, str]:
    """Labels by which a bill can be read; Google takes lower case, digits, _ and -, 63 at most."""
    return {"product": re.sub(r"[^a-z0-9_-]", "_", product)[:63], "step": step}


def bigquery(environment: Environment) -> dict[str, Any]:
    """Arguments that every BigQuery operator takes from the environment."""
    return {
        "project_id": environment.project,
        "location": environment.bigquery_location,
        "deferrable": True,
        "poll_interval": environment.spark.poll_seconds,
    }


def client(environment: Environment) -> Client:
    """A client of BigQuery, for questions whose answer a task needs itself."""
    return BigQueryHook().get_client(project_id=environment.project, location=environment.bigquery_location)


def query(environment: Environment, template: str, **values: Any) -> list[Row]:
    """Rows of a SELECT in sql/. Wrong SQL fails the task for good: another try would not mend it."""
    try:
        return list(
            client(environment).query(render(template, environment, **values), job_retry=None).result()
        )
    except BadRequest as error:
        raise AirflowFailException(f"sql/{template}: {error.message}") from error


def script(sql: str, product: Product, step: str) -> dict[str, Any]:
    """Configuration of a BigQuery job that runs a script."""
    return {"query": {"query": sql, "useLegacySql": False}, "labels": labels(product.name, step)}
