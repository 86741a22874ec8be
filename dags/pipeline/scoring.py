"""score: every eligible customer of the day by the live version, unless they are unlike those it knows."""

import hashlib
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
from pipeline.model_work import PLAN, PROMOTE, model_job, options, planned, read_plan, version_uri
from pipeline.scripts import Job, job_task, load, query, script
from pipeline.work import labels, read_object

# What deploy says is live; where nothing was trained, what the plan found to be.
_LIVE = f"((ti.xcom_pull(task_ids='{PROMOTE}') or ti.xcom_pull(task_ids='{PLAN}') or {{}}).get('live') or '')"
LIVE = f"{{{{ {_LIVE} }}}}"

log = logging.getLogger(__name__)


def score(model: Model, environment: Environment) -> TaskGroup:
    """The step's tasks. They run whether or not there was anything to train, and whatever came of it."""
    with TaskGroup("score") as group:
        (
            _predict(model, environment)
            >> _drift(model, environment)
            >> job_task("stage", lambda context: _stage(model, environment, context), environment)
            >> job_task("load", lambda context: _load(model, environment, context), environment)
            >> job_task("publish", lambda context: _publish(model, environment, context), environment)
        )
    return group


def live_version(context: Context) -> str | None:
    """The version that scores in this run; None when nothing is live."""
    known = context["ti"].xcom_pull(task_ids=PROMOTE) or context["ti"].xcom_pull(task_ids=PLAN) or {}
    return known.get("live")


def _predict(model: Model, environment: Environment) -> Any:
    arguments = options(
        examples=planned("examples"),
        model=version_uri(model, environment, LIVE),
        version=LIVE,
        output=_output(model, environment, planned("snapshot"), LIVE),
    )
    # A version's hashes are enough of it: a batch id has no room for two versions.
    identity = f"{planned('snapshot')}-{{{{ {_LIVE}.partition('-')[2] }}}}"
    job = model_job(model, environment, "score", identity, arguments)
    return spark_operator(environment)(
        task_id="predict", trigger_rule=TriggerRule.ALL_DONE, pre_execute=_skip_without_need, **job
    )


def _skip_without_need(context: Context) -> None:
    if context["ti"].xcom_pull(task_ids="snapshot.features") is None:
        raise AirflowSkipException("There is no snapshot of the day, so nobody is scored.")
    if live_version(context) is None:
        raise AirflowSkipException("No version has passed the gate yet, so nobody is scored.")


def _drift(model: Model, environment: Environment) -> Any:
    @task(task_id="drift")
    def drift(ti: Any) -> dict[str, str]:
        known, live = ti.xcom_pull(task_ids=PLAN), live_version({"ti": ti})
        snapshot_date = read_plan(known).score_date
        written = read_object(f"{_output(model, environment, known['snapshot'], live)}/_drift.json")
        (row,) = query(environment, "training/scored_day.sql", snapshot_date=snapshot_date)
        if row["newest_date"] and row["newest_date"] > snapshot_date:
            raise AirflowSkipException(
                f"{model.name}: gold.customer_daily has come to {row['newest_date']} meanwhile, so scores "
                f"as of {snapshot_date} are not published. Next: nothing; newer rows have triggered a run."
            )
        findings = judge(json.loads(written), Day(snapshot_date, **dict(row)), model.drift)
        run = f"{known['snapshot']}-by-{live}"
        query(environment, "training/scores_checks.sql", product=model.name, run=run, findings=findings)
        return told(model.name, run, findings)

    return drift()  # type: ignore[call-arg, misc]


def told(model: str, run: str, findings: Sequence[Finding]) -> dict[str, str]:
    """Findings that are only to be noted, by name; raises AirflowFailException for those that block."""
    failed = [
        f"{each.name}: {each.detail}" for each in findings if not each.passed and each.severity == "fail"
    ]
    if failed:
        raise AirflowFailException(
            f"{model}: {run} is not published, the scores before it stay. {'; '.join(failed)}. "
            "Next: see ops.checks; mend the data, or train a version on data like today's."
        )
    noted = {each.name: each.detail for each in findings if not each.passed}
    for name, detail in noted.items():
        log.warning("model=%s run=%s step=score %s: %s", model, run, name, detail)
    return noted


def _stage(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    sql = render("training/scores_stage.sql", environment, table=table, days=environment.staging_days)
    return f"{work}-stage", script(environment, sql, _labels(model, context))


def _load(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    snapshot = context["ti"].xcom_pull(task_ids=PLAN)["snapshot"]
    uri = f"{_output(model, environment, snapshot, live_version(context))}/*.parquet"
    source = {"sourceUris": [uri], "sourceFormat": "PARQUET"}
    return f"{work}-load", load(environment, table, _labels(model, context), **source)


def _publish(model: Model, environment: Environment, context: Context) -> Job:
    work, table = _work(model, context)
    dates = read_plan(context["ti"].xcom_pull(task_ids=PLAN))
    sql = render("training/scores_publish.sql", environment, table=table, snapshot_date=dates.score_date)
    # Another run publishes again: meanwhile another version may have scored the day.
    run = hashlib.sha256(context["run_id"].encode()).hexdigest()[:8]
    return f"{work}-publish-{run}", script(environment, sql, _labels(model, context))


def _work(model: Model, context: Context) -> tuple[str, str]:
    """The identity of a snapshot's scores by the live version, and their staging table."""
    snapshot = context["ti"].xcom_pull(task_ids=PLAN)["snapshot"]
    work = f"{model.name}-{snapshot}-by-{live_version(context)}"
    return work, f"{identifier(work)}__scores"


def _labels(model: Model, context: Context) -> dict[str, str]:
    return labels(model.name, "score", context["ti"].xcom_pull(task_ids=PLAN)["snapshot"])


def _output(model: Model, environment: Environment, snapshot: str, live: str | None) -> str:
    return f"gs://{environment.buckets['lake']}/scores/{model.name}/{snapshot}/{live}"
