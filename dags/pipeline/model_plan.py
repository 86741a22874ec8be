"""What a run of a model does: decided by what gold holds and which version is live, and noted."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from airflow.exceptions import AirflowException, AirflowSkipException
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.sdk import Variable

from medallion.environments import Environment
from medallion.models import Model
from medallion.snapshots import SnapshotPlan, TooLittleHistoryError, plan_snapshots
from medallion.sql import render
from pipeline.model_work import live_version, version_uri
from pipeline.work import read_object

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class History:
    """What gold.customer_daily holds; `owed` are published runs that it does not show."""

    first_date: date | None
    last_date: date | None
    fingerprint: str | None
    partitions: int
    owed: str | None


def audited(history: History) -> History:
    """The history, if all of it has passed its audits.

    Raises AirflowSkipException when there is none, and AirflowException, after which the task is tried again,
    when nothing says what gold shows, or it does not show all that was published: a product's run may be
    between publish and gold, or at a table that is made anew.
    """
    if history.last_date is None:
        raise AirflowSkipException("gold.customer_daily has no rows, so there is nothing to learn from.")
    if history.owed:
        raise AirflowException(
            f"gold.customer_daily: expected every published run, got none of the rows of {history.owed}. "
            "Next: wait for the product's run; if it has failed, see ops.checks for what gold's checks "
            "found, mend it, and run the product again."
        )
    if history.fingerprint is None:
        raise AirflowException(
            "gold.customer_daily: expected a table that a product's run has audited, got one that "
            "ops.refreshes knows nothing of. Next: run the product that makes it."
        )
    return history


def plan_run(model: Model, environment: Environment, history: History) -> dict[str, Any]:
    """Decides what a run does, and notes it beside its examples: dates, data, code.

    A version is named after its data, code and settings, and after the live version that it is held
    against; so its evaluation is its own, and is never written again. Returns what later tasks ask for;
    `skip` says why nothing is trained, or is empty.
    """
    lake, release = environment.buckets["lake"], Variable.get("medallion_release")
    live = live_version(model, environment)
    champion = version_uri(model, environment, live) if live else ""
    settings = _settings(model, environment, release)
    made_of = f"{history.last_date:%Y%m%d}-{_hash([settings, history.fingerprint])[:10]}"
    dates, skip = _dates(model, history, champion, settings, made_of)
    version = live or "" if skip else f"{made_of}-{_hash(live)[:4]}"
    snapshot = f"{made_of}-score" if skip else version
    folder = f"training/{model.name}/{snapshot}/examples"
    noted = {
        **{"fingerprint": history.fingerprint, "partitions": history.partitions},
        **{"release": release, "settings": settings},
    }
    # Spark takes a name that begins with _ for no data.
    GCSHook().upload(
        bucket_name=lake,
        object_name=f"{folder}/_plan.json",
        data=json.dumps({**asdict(dates), **noted}, default=str),
    )
    log.info("model=%s step=snapshot version=%s live=%s %s", model.name, version, live, skip)
    return {
        **{"snapshot": snapshot, "version": version, "live": live, "champion": champion, "skip": skip},
        **{"release": release, "fingerprint": history.fingerprint, "examples": f"gs://{lake}/{folder}"},
    }


def _settings(model: Model, environment: Environment, release: str) -> str:
    """Fingerprint of everything but data that a version is made of.

    The model's name is part of it: a version names jobs, of which no other model's may be taken for its own.
    """
    sql = [render(name, environment) for name in ("gold/customer_features.sql", "training/examples.sql")]
    document = model.document
    return _hash([model.name, document["snapshots"], document["training"], model.image, release, sql])


def _dates(
    model: Model, history: History, champion: str, settings: str, made_of: str
) -> tuple[SnapshotPlan, str]:
    """The run's dates, and why it trains nothing, or nothing.

    Raises AirflowSkipException when there is nothing to score with either.
    """
    first, last = history.first_date, history.last_date
    assert first is not None and last is not None, "audited"
    try:
        dates = plan_snapshots(first, last, model.snapshots["spacing_days"])
    except TooLittleHistoryError as error:
        if not champion:
            raise AirflowSkipException(str(error)) from None
        return SnapshotPlan(last), str(error)
    skip = _still_good(model, champion, settings, made_of, last) if champion else ""
    return (SnapshotPlan(last) if skip else dates), skip


def _still_good(model: Model, champion: str, settings: str, made_of: str, last: date) -> str:
    """Why the live version needs no successor yet, or nothing."""
    if champion.rpartition("/")[2].startswith(f"{made_of}-"):
        return "The live version was made of this data, code and settings."
    origin = json.loads(read_object(f"{champion}/training.json"))["origin"]
    newer = (last - date.fromisoformat(origin["score_date"])).days
    if origin["settings"] == settings and 0 <= newer < model.snapshots["retrain_days"]:
        return f"The live version has learned from all but the last {newer} days."
    return ""


def _hash(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
