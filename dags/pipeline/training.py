"""A model as a DAG: snapshot, train, evaluate, deploy, score."""

import json
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import DAG, Context, TaskGroup, task
from google.api_core.exceptions import NotFound

from medallion.environments import Environment
from medallion.features import snapshot_script
from medallion.models import Model
from operators.dataproc import spark_operator
from operators.model import MLModelTrainJobOperator, MLModelTrainOperator, ModelDeployOperator
from pipeline.all_clear import all_clear
from pipeline.model_plan import History, audited, plan_run
from pipeline.model_work import (
    PLAN,
    PROMOTE,
    live_version,
    model_job,
    options,
    planned,
    read_plan,
    version_uri,
)
from pipeline.notify import task_defaults
from pipeline.scoring import score
from pipeline.scripts import Job, job_task, query, script
from pipeline.work import labels, read_object

VERSION, EXAMPLES, CHAMPION = planned("version"), planned("examples"), planned("champion")


def model_dag(model: Model, environment: Environment) -> DAG:
    """The DAG of a model in an environment; a data product's DAG triggers it.

    Scoring needs a snapshot and a live version, whatever became of training; what failed there still fails
    the run, by deploy's last task.
    """
    with DAG(
        dag_id=model.name,
        description=model.description,
        schedule=None,
        catchup=False,
        max_active_runs=1,  # one version at a time is held against the live one
        default_args=task_defaults(model, environment),
        tags=["model"],
    ) as dag:
        snapshot = _snapshot(model, environment)
        promote, card = _deploy(model, environment)
        snapshot >> _train(model, environment) >> _evaluate(model, environment) >> promote
        promote >> card
        [snapshot, promote] >> score(model, environment)
        dag.leaves >> all_clear(model, environment)
    return dag


def _snapshot(model: Model, environment: Environment) -> TaskGroup:
    @task(task_id="plan")
    def plan() -> dict[str, Any]:
        try:
            (row,) = query(environment, "training/history.sql")
        except NotFound as error:
            raise AirflowSkipException(f"There is nothing to learn from yet: {error.message}") from error
        return plan_run(model, environment, audited(History(**dict(row))))

    def configure(context: Context) -> Job:
        known = context["ti"].xcom_pull(task_ids=PLAN)
        sql = snapshot_script(
            model.name,
            known["snapshot"],
            read_plan(known),
            known["fingerprint"],
            known["examples"],
            environment,
        )
        named = labels(model.name, "snapshot", known["snapshot"])
        return f"{model.name}-{known['snapshot']}-snapshot", script(environment, sql, named)

    with TaskGroup("snapshot") as group:
        plan() >> job_task("features", configure, environment)
    return group


def _train(model: Model, environment: Environment) -> Any:
    serverless = environment.spark.runner == "serverless"
    operator = MLModelTrainOperator if serverless else MLModelTrainJobOperator
    bucket, folder = environment.buckets["models"], f"{model.name}/{VERSION}"
    arguments = options(examples=EXAMPLES, output=f"gs://{bucket}/{folder}", version=VERSION)
    job = model_job(
        model, environment, "train", VERSION, [*arguments, "--model-config", json.dumps(model.document)]
    )
    return operator(task_id="train", bucket=bucket, folder=folder, pre_execute=_skip_unless_planned, **job)


def _skip_unless_planned(context: Context) -> None:
    reason = context["ti"].xcom_pull(task_ids=PLAN)["skip"]
    if reason:
        raise AirflowSkipException(f"Nothing is trained. {reason}")


def _evaluate(model: Model, environment: Environment) -> Any:
    folder = version_uri(model, environment, VERSION)
    arguments = options(examples=EXAMPLES, model=folder, champion=CHAMPION, output=folder)
    job = model_job(model, environment, "evaluate", VERSION, arguments)
    return spark_operator(environment)(task_id="evaluate", **job)


def _deploy(model: Model, environment: Environment) -> tuple[Any, Any]:
    """The promotion, and the card of the live version among the reports."""

    @task(task_id="card")
    def card() -> str:
        live = live_version(model, environment)
        if live is None:
            raise AirflowSkipException("No version is live, so there is no card to show.")
        page = read_object(f"{version_uri(model, environment, live)}/card.html")
        reports, name = environment.buckets["reports"], f"{model.name}/index.html"
        GCSHook().upload(bucket_name=reports, object_name=name, data=page, mime_type="text/html")
        return f"gs://{reports}/{name}"

    with TaskGroup("deploy"):
        promote = ModelDeployOperator(
            task_id="promote",
            model=model.name,
            version=VERSION,
            bucket=environment.buckets["models"],
            gate=model.gate,
        )
        shown = card()
    assert promote.task_id == PROMOTE
    return promote, shown
