"""score: every eligible customer of the day by the live version, unless they are unlike those it knows."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from airflow.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk import Context, TaskGroup, TriggerRule, task

from medallion.drift import Day, Finding, judge
from medallion.environments import Environment
from medallion.gold import identifier
from medallion.models import Model
from medallion.sql import render
from operators.dataproc import spark_operator
from pipeline.model_work import (
    FEATURES,
    PLAN,
    live_version,
    model_job,
    options,
    planned,
    read_plan,
    version_uri,
)
from pipeline.scripts import Job, job_task, load, query, script
from pipeline.work import labels, read_object

LIVE = "score.live"  # the task that says which version scores
_VERSION = f"(ti.xcom_pull(task_ids='{LIVE}') or '')"
VERSION = f"{{{{ {_VERSION} }}}}"

log = logging.getLogger(__name__)


def score(model: Model, environment: Environment) -> TaskGroup:
    """The step's tasks. They run whether or not there was anything to train, and whatever came of it."""
    with TaskGroup("score") as group:
        (
            _live(model, environment)
            >> _predict(model, environment)
            >> _drift(model, environment)
            >> job_task("stage", lambda context: _stage(model, environment, context), environment)
            >> job_task("load", lambda context: _load(model, environment, context), environment)
            >> job_task(
                "publish",
                lambda context: _publish(model, environment, context),
                environment,
                within_run=True,  # meanwhile another version may have scored the day
            )
        )
    return group


def _live(model: Model, environment: Environment) -> Any:
    """The version that scores is what the pointer says now.

    Of a task that was not started, Airflow keeps what it returned before its run was cleared.
    """

    @task(task_id="live", trigger_rule=TriggerRule.ALL_DONE)
    def live(ti: Any) -> str:
        if not (ti.xcom_pull(task_ids=PLAN) and ti.xcom_pull(task_ids=FEATURES)):
            raise AirflowSkipException("There is no snapshot of the day, so nobody is scored.")
        version = live_version(model, environment)
        if version is None:
            raise AirflowSkipException("No version has passed the gate yet, so nobody is scored.")
        return version

    return live()  # type: ignore[call-arg, misc]


def _predict(model: Model, environment: Environment) -> Any:
    arguments = options(
        examples=planned("examples"),
        model=version_uri(model, environment, VERSION),
        version=VERSION,
        output=_output(model, environment, planned("snapshot"), VERSION),
    )
    # A version's hashes are enough of it: a batch id has no room for two versions.
    identity = f"{planned('snapshot')}-{{{{ {_VERSION}.partition('-')[2] }}}}"
    job = model_job(model, environment, "score", identity, arguments)
    return spark_operator(environment)(task_id="predict", **job)


def _drift(model: Model, environment: Environment) -> Any:
    @task(task_id="drift")
    def drift(ti: Any) -> dict[str, str]:
        known, live = ti.xcom_pull(task_ids=PLAN), ti.xcom_pull(task_ids=LIVE)
        snapshot_date = read_plan(known).score_date
        written = read_object(f"{_output(model, environment, known['snapshot'], live)}/_drift.json")
        (row,) = query(environment, "training/scored_day.sql", snapshot_date=snapshot_date)
        findings = judge(json.loads(written), Day(snapshot_date, **dict(row)), model.drift)
        (gold,) = query(environment, "training/provenance.sql")
        if gold["fingerprint"] != known["fingerprint"] and any(_blocks(each) for each in findings):
            raise AirflowSkipException(
                f"{model.name}: gold.customer_daily has changed since the snapshot of {snapshot_date}, and "
                "says other things of it. Next: nothing, where the product's run comes through: it triggers "
                "another one."
            )
        run = f"{known['snapshot']}-by-{live}"
        query(environment, "training/scores_checks.sql", product=model.name, run=run, findings=findings)
        return told(model.name, run, findings)

    return drift()  # type: ignore[call-arg, misc]


def told(model: str, run: str, findings: Sequence[Finding]) -> dict[str, str]:
    """Findings that are only to be noted, by name; raises AirflowFailException for those that block."""
    failed = [f"{each.name}: {each.detail}" for each in findings if _blocks(each)]
    if failed:
        raise AirflowFailException(
            f"{model}: {run} is not published, the scores before it stay. {'; '.join(failed)}. "
            "Next: see ops.checks; mend the data, or train a version on data like today's."
        )
    noted = {each.name: each.detail for each in findings if not each.passed}
    for name, detail in noted.items():
        log.warning("model=%s run=%s step=score %s: %s", model, run, name, detail)
    return noted


def _blocks(finding: Finding) -> bool:
    return not finding.passed and finding.severity == "fail"


def _stage(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    sql = render("training/scores_stage.sql", environment, table=table, days=environment.staging_days)
    return f"{work}-stage", script(environment, sql, _labels(model, context))


def _load(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    snapshot = context["ti"].xcom_pull(task_ids=PLAN)["snapshot"]
    output = _output(model, environment, snapshot, context["ti"].xcom_pull(task_ids=LIVE))
    uri = f"{output}/part-*.parquet"  # a star goes on through folders, as Spark's _temporary
    source = {"sourceUris": [uri], "sourceFormat": "PARQUET"}
    return f"{work}-load", load(environment, table, _labels(model, context), **source)


def _publish(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    known, live = (context["ti"].xcom_pull(task_ids=name) for name in (PLAN, LIVE))
    pointed_to = live_version(model, environment)
    if pointed_to != live:
        raise AirflowFailException(
            f"{model.name}: expected {live} to be live until its scores are published, got {pointed_to}. "
            f"Next: clear the tasks of score: airflow tasks clear -t score {model.name}."
        )
    values = {"snapshot_date": read_plan(known).score_date, "fingerprint": known["fingerprint"]}
    sql = render("training/scores_publish.sql", environment, table=table, **values)
    return f"{work}-publish", script(environment, sql, _labels(model, context))


def _work(model: Model, context: Context) -> tuple[str, str]:
    """The identity of a snapshot's scores by the live version, and their staging table."""
    snapshot = context["ti"].xcom_pull(task_ids=PLAN)["snapshot"]
    work = f"{model.name}-{snapshot}-by-{context['ti'].xcom_pull(task_ids=LIVE)}"
    return work, f"{identifier(work)}__scores"


def _labels(model: Model, context: Context) -> dict[str, str]:
    return labels(model.name, "score", context["ti"].xcom_pull(task_ids=PLAN)["snapshot"])


def _output(model: Model, environment: Environment, snapshot: str, live: str | None) -> str:
    return f"gs://{environment.buckets['lake']}/scores/{model.name}/{snapshot}/{live}"
