"""A model as a DAG: snapshot, train, evaluate, deploy, score."""

import hashlib
import json
import logging
from dataclasses import asdict
from datetime import date
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import DAG, Context, TaskGroup, Variable, task

from medallion.config import Environment, Model
from medallion.snapshots import SnapshotPlan, SnapshotSpec, TooLittleHistoryError, plan_snapshots
from medallion.sql import render
from operators.dataproc import spark_job, spark_operator
from operators.model import MLModelTrainJobOperator, MLModelTrainOperator, ModelDeployOperator, read_live
from pipeline.scripts import Job, job_task, load, query, script
from pipeline.work import RETRIES, labels, read_object

PLAN = "snapshot.plan"
VERSION = f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['version'] }}}}"
RELEASE = f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['release'] }}}}"
EXAMPLES = f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['examples'] }}}}"
CHAMPION = f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['champion'] }}}}"
LIVE = "{{ ti.xcom_pull(task_ids='deploy')['version'] }}"

log = logging.getLogger(__name__)


def model_dag(model: Model, environment: Environment) -> DAG:
    """The DAG of a model in an environment; a data product's DAG triggers it."""
    with DAG(
        dag_id=model.name,
        description=model.description,
        schedule=None,
        catchup=False,
        max_active_runs=1,  # one version at a time is held against the live one
        default_args={"owner": model.owner, **RETRIES},
        tags=["model"],
    ) as dag:
        (
            _snapshot(model, environment)
            >> _train(model, environment)
            >> _evaluate(model, environment)
            >> _deploy(model, environment)
            >> _score(model, environment)
        )
    return dag


def _snapshot(model: Model, environment: Environment) -> TaskGroup:
    @task(task_id="plan")
    def plan() -> dict[str, str]:
        (history,) = query(environment, "training/history.sql")
        if history["last_date"] is None:
            raise AirflowSkipException("gold.customer_daily has no rows, so there is nothing to learn from.")
        try:
            dates = plan_snapshots(
                history["first_date"], history["last_date"], SnapshotSpec(**model.snapshots)
            )
        except TooLittleHistoryError as error:
            raise AirflowSkipException(str(error)) from None
        return _plan(model, environment, dates, history["fingerprint"])

    def configure(context: Context) -> Job:
        planned = context["ti"].xcom_pull(task_ids=PLAN)
        version, uri = planned["version"], planned["examples"]
        sql = render(
            "training/snapshot.sql",
            environment,
            plan=_read_plan(uri),
            uri=uri,
            build=f"{model.name}__{version}".replace("-", "_"),
            days=environment.staging_days,
            features=render("gold/customer_features.sql", environment).rstrip(),
            examples=render("training/examples.sql", environment).rstrip(),
        )
        named = labels(model.name, "snapshot", version)
        return f"{model.name}-{version}-snapshot", script(environment, sql, named)

    with TaskGroup("snapshot") as group:
        plan() >> job_task("features", configure, environment)
    return group


def _plan(model: Model, environment: Environment, dates: SnapshotPlan, fingerprint: str) -> dict[str, str]:
    """Names the version after what it is made of, and writes the dates beside its examples."""
    release = Variable.get("medallion_release")
    sql = [render(name, environment) for name in ("gold/customer_features.sql", "training/examples.sql")]
    parts = json.dumps([model.document, release, fingerprint, sql], sort_keys=True)
    version = f"{dates.score_date:%Y%m%d}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"
    hook, lake = GCSHook(), environment.buckets["lake"]
    folder = f"training/{model.name}/{version}/examples"
    # Spark takes a name that begins with _ for no data.
    hook.upload(
        bucket_name=lake, object_name=f"{folder}/_plan.json", data=json.dumps(asdict(dates), default=str)
    )
    models = environment.buckets["models"]
    live, _ = read_live(hook.get_conn().bucket(models), model.name)
    log.info("model=%s step=snapshot version=%s live=%s", model.name, version, live)
    return {
        "version": version,
        "release": release,
        "examples": f"gs://{lake}/{folder}",
        "champion": f"gs://{models}/{model.name}/{live}" if live else "",
    }


def _read_plan(uri: str) -> SnapshotPlan:
    written = json.loads(read_object(f"{uri}/_plan.json"))
    dates = {name: date.fromisoformat(value) for name, value in written.items() if name != "train_dates"}
    return SnapshotPlan(**dates, train_dates=tuple(map(date.fromisoformat, written["train_dates"])))


def _train(model: Model, environment: Environment) -> Any:
    serverless = environment.spark.runner == "serverless"
    operator = MLModelTrainOperator if serverless else MLModelTrainJobOperator
    bucket, folder = environment.buckets["models"], f"{model.name}/{VERSION}"
    options = {"examples": EXAMPLES, "output": f"gs://{bucket}/{folder}", "version": VERSION}
    arguments = [*_options(options), "--model-config", json.dumps(model.document)]
    job = _job(model, environment, "train", VERSION, arguments)
    return operator(task_id="train", bucket=bucket, folder=folder, **job)


def _evaluate(model: Model, environment: Environment) -> Any:
    folder = _version_uri(model, environment, VERSION)
    options = {"examples": EXAMPLES, "model": folder, "champion": CHAMPION, "output": folder}
    # Another champion is another evaluation.
    identity = f"{VERSION}-{{{{ {_CHAMPION_HASH} }}}}"
    job = _job(model, environment, "evaluate", identity, _options(options))
    return spark_operator(environment)(task_id="evaluate", **job)


def _deploy(model: Model, environment: Environment) -> ModelDeployOperator:
    return ModelDeployOperator(
        task_id="deploy",
        model=model.name,
        version=VERSION,
        bucket=environment.buckets["models"],
        gate=model.gate,
    )


def _score(model: Model, environment: Environment) -> TaskGroup:
    output = f"gs://{environment.buckets['lake']}/scores/{model.name}/{VERSION}/{LIVE}"
    options = {
        "examples": EXAMPLES,
        "model": _version_uri(model, environment, LIVE),
        "version": LIVE,
        "output": output,
    }

    def table(context: Context) -> tuple[str, str, str]:
        """The snapshot's version, the live version, and the staging table of its scores."""
        ti = context["ti"]
        snapshot, live = ti.xcom_pull(task_ids=PLAN)["version"], ti.xcom_pull(task_ids="deploy")["version"]
        return snapshot, live, f"{model.name}__scores_{snapshot}_by_{live}".replace("-", "_")

    def stage(context: Context) -> Job:
        snapshot, live, name = table(context)
        sql = render("training/scores_stage.sql", environment, table=name, days=environment.staging_days)
        named = labels(model.name, "score", snapshot)
        return f"{model.name}-{snapshot}-{live}-stage", script(environment, sql, named)

    def load_scores(context: Context) -> Job:
        snapshot, live, name = table(context)
        uri = f"gs://{environment.buckets['lake']}/scores/{model.name}/{snapshot}/{live}/*.parquet"
        source = {"sourceUris": [uri], "sourceFormat": "PARQUET"}
        named = labels(model.name, "score", snapshot)
        return f"{model.name}-{snapshot}-{live}-load", load(environment, name, named, **source)

    def publish(context: Context) -> Job:
        snapshot, live, name = table(context)
        dates = _read_plan(context["ti"].xcom_pull(task_ids=PLAN)["examples"])
        sql = render(
            "training/scores_publish.sql",
            environment,
            table=name,
            snapshot_date=dates.score_date,
            version=live,
        )
        named = labels(model.name, "score", snapshot)
        return f"{model.name}-{snapshot}-{live}-publish", script(environment, sql, named)

    with TaskGroup("score") as group:
        job = _job(model, environment, "score", f"{VERSION}-{{{{ {_LIVE_HASH} }}}}", _options(options))
        predict = spark_operator(environment)(task_id="predict", pre_execute=_skip_without_live, **job)
        (
            predict
            >> job_task("stage", stage, environment)
            >> job_task("load", load_scores, environment)
            >> job_task("publish", publish, environment)
        )
    return group


# A version's own hash: a batch id has no room for two whole versions.
_CHAMPION_HASH = f"ti.xcom_pull(task_ids='{PLAN}')['champion'].rpartition('-')[2] or 'first'"
_LIVE_HASH = "(ti.xcom_pull(task_ids='deploy')['version'] or '').rpartition('-')[2]"


def _skip_without_live(context: Context) -> None:
    if context["ti"].xcom_pull(task_ids="deploy")["version"] is None:
        raise AirflowSkipException("No version has passed the gate yet, so nobody is scored.")


def _version_uri(model: Model, environment: Environment, version: str) -> str:
    return f"gs://{environment.buckets['models']}/{model.name}/{version}"


def _options(options: dict[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _job(
    model: Model, environment: Environment, step: str, identity: str, arguments: list[str]
) -> dict[str, Any]:
    return spark_job(
        environment,
        identity=f"{step}-{identity}",
        release=RELEASE,
        entry=f"ml/{step}.py",
        arguments=arguments,
        labels=labels(model.name, step, VERSION),
    )
