"""What the steps of a run hand on: discover's answer, and the manifest behind it."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow.exceptions import AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Context
from airflow.timetables.trigger import CronTriggerTimetable

from medallion.manifest import Manifest
from medallion.products import ASKED

EXTRACT, DISCOVER = "extract", "discover"

# Templates of what discover returned, for fields that Airflow renders. It renders them before a task can be
# skipped, so they have to bear a discover that found nothing.
RUN = "{{ ti.xcom_pull(task_ids='discover').get('run') }}"
MANIFEST = "{{ ti.xcom_pull(task_ids='discover').get('manifest') }}"
RELEASE = "{{ ti.xcom_pull(task_ids='discover').get('release') }}"

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
}


def from_now_on(cron: str, timezone: str) -> CronTriggerTimetable:
    """The schedule of a DAG whose first run is the next one due.

    False for `run_immediately` would not do: it lets a run start that was due a while ago.
    """
    return CronTriggerTimetable(cron, timezone=timezone, run_immediately=timedelta(0))


def found(context: Context) -> dict[str, Any]:
    """What discover returned: run, manifest (a URI) and release; empty where only gold is owed.

    Of a replay or a backfill also `dry_run`, whether it ends before publish; of a replay `replay`: how many
    rows were selected, and their fingerprint.
    """
    return context["ti"].xcom_pull(task_ids=DISCOVER)


def asked_for(context: Mapping[str, Any]) -> dict[str, Any]:
    """What a run was asked to do instead of taking what is new, by its name; empty for an ordinary run."""
    params = context.get("params") or {}  # a callback for a task whose worker died may have none
    return {name: params[name] for name in ASKED if params.get(name) is not None}


def moment_of(context: Mapping[str, Any]) -> datetime:
    """The moment of a run, from which its period follows."""
    moment: datetime = context.get("logical_date") or context["dag_run"].run_after
    return moment


def run_of(context: Context) -> str:
    """The name of this run; one that is there for gold's sake alone is named after Airflow's."""
    return found(context).get("run") or f"owed-{context['run_id']}"


def manifest_of(context: Context) -> Manifest:
    """The manifest of this run."""
    return Manifest.from_json(read_object(found(context)["manifest"]))


def metrics_of(context: Context) -> dict[str, Any]:
    """What clean counted in this run."""
    return json.loads(read_object(f"{manifest_of(context).output}/metrics.json"))


def read_object(uri: str) -> bytes:
    """The content of a small object in Cloud Storage."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    return GCSHook().download(bucket_name=bucket, object_name=name)


def write_beside_manifest(context: Context, name: str, content: Any) -> None:
    """Writes a small JSON object into the run's folder."""
    bucket, _, folder = manifest_of(context).output.removeprefix("gs://").partition("/")
    data = json.dumps(content, default=str)
    GCSHook().upload(bucket_name=bucket, object_name=f"{folder}/{name}", data=data)


def skip_in_dry_run(context: Context) -> None:
    """Skips what comes after publish in a dry run."""
    if found(context).get("dry_run"):
        raise AirflowSkipException("Dry run: nothing was published.")


def skip_when_nothing_is_new(context: Context) -> None:
    """Skips the steps before gold when the run is there for gold's sake alone."""
    if not found(context):
        raise AirflowSkipException("No new files; an earlier run's changes are still to reach gold.")


def staging_table(product: str, run: str) -> str:
    """Name of the view of a run's staged rows; its tables have longer ones that begin with it."""
    return f"{product}__{run}"


def labels(product: str, step: str, run: str) -> dict[str, str]:
    """Labels by which a bill can be read; Google takes lower case, digits, _ and -, 63 at most.

    `run` may be a template, for fields that Airflow renders.
    """
    names = {"product": product, "step": step} | ({} if "{{" in run else {"run": run})
    allowed = {name: re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63] for name, text in names.items()}
    return {"run": run, **allowed}
