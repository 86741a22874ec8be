"""Spark jobs on Dataproc, as serverless batches or on a cluster, that are submitted or adopted."""

import hashlib
from typing import Any

from airflow.providers.google.cloud.hooks.dataproc import DataprocHook
from airflow.providers.google.cloud.operators.dataproc import (
    DataprocCreateBatchOperator,
    DataprocSubmitJobOperator,
)
from airflow.sdk import Context
from google.cloud.dataproc_v1 import Batch, JobStatus

from medallion.environments import Environment, Spark
from medallion.errors import ConfigError
from medallion.release import LIBRARY
from operators.attempts import attempt, existing

# One that is being cancelled still writes: it is waited for before the next attempt.
FAILED_BATCHES = (Batch.State.FAILED, Batch.State.CANCELLED)
FAILED_JOBS = (JobStatus.State.ERROR, JobStatus.State.CANCELLED)


class BatchOperator(DataprocCreateBatchOperator):
    """A serverless batch. `batch_id` is the identity of the work; attempts are numbered behind it."""

    def execute(self, context: Context) -> Any:
        find = existing(self.hook.get_batch, "batch_id", region=self.region, project_id=self.project_id)
        self.batch_id, _ = attempt(str(self.batch_id), find, lambda batch: batch.state in FAILED_BATCHES)
        return super().execute(context)


class JobOperator(DataprocSubmitJobOperator):
    """A job on a cluster. Its reference's job_id is the identity; attempts are numbered behind it."""

    def execute(self, context: Context) -> Any:
        hook = DataprocHook(gcp_conn_id=self.gcp_conn_id, impersonation_chain=self.impersonation_chain)
        find = existing(hook.get_job, "job_id", region=self.region, project_id=self.project_id)
        reference = self.job["reference"]
        name, _ = attempt(reference["job_id"], find, lambda job: job.status.state in FAILED_JOBS)
        self.job = {**self.job, "reference": {**reference, "job_id": name}}
        # Dataproc answers a request id that it knows with the job that it has; at most 40 characters.
        self.request_id = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
        return super().execute(context)


def spark_operator(environment: Environment) -> type[BatchOperator] | type[JobOperator]:
    """The operator that runs Spark jobs in an environment."""
    return BatchOperator if environment.spark.runner == "serverless" else JobOperator


def spark_job(
    environment: Environment,
    *,
    identity: str,
    release: str,
    entry: str,
    arguments: list[str],
    labels: dict[str, str],
    image: str | None = None,
    trains: bool = False,
) -> dict[str, Any]:
    """Arguments of spark_operator(environment) for a job.

    `identity`, `release` and `arguments` may be Jinja templates; `entry` is a file of the release. `image`,
    of the environment's repository, is what a batch runs in; a cluster has its own packages. A job that
    `trains` runs as the identity that may write models, and no other does.
    """
    code = f"gs://{environment.buckets['code']}/{release}"
    work = {
        "main_python_file_uri": f"{code}/{entry}",
        "python_file_uris": [f"{code}/{LIBRARY}"],
        "args": arguments,
    }
    spark = environment.spark
    common = {
        "project_id": environment.project,
        "region": environment.region,
        "deferrable": True,
        "polling_interval_seconds": spark.poll_seconds,
    }
    if spark.runner == "serverless":
        runtime: dict[str, Any] = {"version": spark.runtime_version, "properties": spark.properties}
        if image and spark.images:
            runtime["container_image"] = f"{spark.images}/{image}"
        batch = {"pyspark_batch": work, "runtime_config": runtime, "labels": labels}
        batch["environment_config"] = {"execution_config": _execution(spark, trains)}
        return {**common, "batch_id": identity, "batch": batch}
    job = {
        "reference": {"project_id": environment.project, "job_id": identity},
        "placement": {"cluster_name": spark.cluster},
        "pyspark_job": {**work, "properties": spark.properties},
        "labels": labels,
    }
    return {**common, "job": job}


def _execution(spark: Spark, trains: bool) -> dict[str, Any]:
    """A batch's ExecutionConfig: who it is, where it runs, what encrypts it, and when it is ended."""
    execution = spark.execution
    if execution is None:  # conf/environment.schema.json asks for it
        raise ConfigError("environment", "spark.execution", "an execution, for runner serverless", None)
    return {
        "service_account": execution.training_service_account if trains else execution.service_account,
        "subnetwork_uri": execution.subnetwork,
        "network_tags": list(execution.network_tags),
        "kms_key": execution.kms_key,
        "staging_bucket": execution.staging_bucket,
        "ttl": {"seconds": execution.ttl_hours * 3600},
    }
