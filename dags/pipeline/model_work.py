"""What the steps of a model's run hand on: the plan, and the jobs that work by it."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow.providers.google.cloud.hooks.gcs import GCSHook

from medallion.environments import Environment
from medallion.models import Model
from medallion.pointer import read_pointer
from medallion.snapshots import SnapshotPlan
from operators.dataproc import spark_job
from pipeline.work import labels, read_object

PLAN, FEATURES, PROMOTE = "snapshot.plan", "snapshot.features", "deploy.promote"


def planned(key: str) -> str:
    """A template of what the plan says; it bears a plan that was skipped, for templates come first."""
    return f"{{{{ (ti.xcom_pull(task_ids='{PLAN}') or {{}}).get('{key}') or '' }}}}"


def read_plan(known: Mapping[str, Any]) -> SnapshotPlan:
    """The dates of a run, as they were noted beside its examples."""
    written = json.loads(read_object(f"{known['examples']}/_plan.json"))

    def day(name: str) -> date | None:
        return date.fromisoformat(written[name]) if written[name] else None

    return SnapshotPlan(
        score_date=date.fromisoformat(written["score_date"]),
        test_date=day("test_date"),
        validation_date=day("validation_date"),
        train_dates=tuple(map(date.fromisoformat, written["train_dates"])),
    )


def version_uri(model: Model, environment: Environment, version: str) -> str:
    """The folder of a model version."""
    return f"gs://{environment.buckets['models']}/{model.name}/{version}"


def live_version(model: Model, environment: Environment) -> str | None:
    """The version that the model's pointer names now; None before any has passed the gate."""
    return read_pointer(GCSHook().get_conn().bucket(environment.buckets["models"]), model.name).version


def options(**values: str) -> list[str]:
    """Values as a job's arguments."""
    return [part for name, value in values.items() for part in (f"--{name}", value)]


def model_job(
    model: Model, environment: Environment, step: str, identity: str, arguments: list[str]
) -> dict[str, Any]:
    """Arguments of spark_operator(environment) for ml/<step>.py; identity is what makes it another job."""
    return spark_job(
        environment,
        identity=f"{step}-{identity}",
        release=planned("release"),
        entry=f"ml/{step}.py",
        arguments=arguments,
        labels=labels(model.name, step, planned("snapshot")),
        image=model.image,
        trains=True,
    )
