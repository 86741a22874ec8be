"""A worker of Airflow's, as far as one task goes: a process that forks a child for each try.

`python -m tests.dags.certificate.worker` reads requests from its standard input, a JSON line each, and
answers with two lines: the child's process id when it begins, and its result, or the signal that ended it.
"""

import asyncio
import json
import os
import sys
import traceback
from datetime import datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from airflow.providers.google.cloud.triggers import bigquery as _bigquery  # noqa: F401 (what triggers import)
from airflow.providers.google.cloud.triggers import dataproc as _dataproc  # noqa: F401
from airflow.sdk.module_loading import import_string

from local.airflow_plugins.local_google import redirect_bigquery, redirect_dataproc
from medallion.environments import environment_name, load_environment
from medallion.products import load_product
from pipeline.product import product_dag
from tests.dags.certificate import controls

FAILED, FINAL = "failed", "failed for good"  # Airflow tries a task again after the first


class TaskInstance:
    """What tasks hand on."""

    def __init__(self, returned: dict[str, Any], pushed: dict[str, Any]) -> None:
        self.returned, self.pushed = returned, pushed

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str | None = None) -> Any:
        return self.pushed[key] if key else self.returned[task_ids]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a task prints belongs to the log
    for line in sys.stdin:
        request = json.loads(line)
        _warm_up(request)
        result, pid = _fork(request)
        print(json.dumps({"pid": pid}), file=answers, flush=True)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            told = {"state": "killed", "signal": os.WTERMSIG(status)}
            print(json.dumps(told), file=answers, flush=True)
        else:
            print(result.read_text(), file=answers, flush=True)


@cache
def _warmed(product: str) -> bool:
    """Imports once what every task does, for all children; opens no channel that a fork would break."""
    environment = load_environment(environment_name())
    product_dag(load_product(product), environment)
    GCSHook().get_conn()
    BigQueryHook().get_client(project_id=environment.project, location=environment.bigquery_location)
    return True


def _warm_up(request: dict[str, Any]) -> None:
    os.environ.update(request["environment"])
    assert _warmed(request["product"])


def _fork(request: dict[str, Any]) -> tuple[Path, int]:
    result = Path(request["result"])
    result.unlink(missing_ok=True)
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return result, pid
    try:
        told = _outcome(request)
        result.write_text(json.dumps(told))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _outcome(request: dict[str, Any]) -> dict[str, Any]:
    redirect_dataproc(os.environ["DATAPROC_EMULATOR_HOST"])
    redirect_bigquery(os.environ["BIGQUERY_EMULATOR_HOST"])
    controls.switch_off(request["without"])
    instance = TaskInstance(request["returned"], request["pushed"])
    try:
        if "trigger" in request:
            return {"state": "event", "event": asyncio.run(_first_event(*request["trigger"]))}
        returned = _execute(request, instance)
        return {"state": "success", "returned": returned, "pushed": instance.pushed}
    except AirflowSkipException:
        return {"state": "skipped"}
    except TaskDeferred as deferred:
        told = {"trigger": deferred.trigger.serialize(), "method": deferred.method_name}
        return {"state": "deferred", "pushed": instance.pushed, **told}
    except Exception as error:
        traceback.print_exc()
        state = FINAL if isinstance(error, AirflowFailException) else FAILED
        return {"state": state, "error": f"{type(error).__name__}: {error}"}


def _execute(request: dict[str, Any], instance: TaskInstance) -> Any:
    product = load_product(request["product"])
    task = product_dag(product, load_environment(environment_name())).get_task(request["task"])
    params = dict.fromkeys(("replay", "backfill", "forget"))
    began = SimpleNamespace(start_date=datetime.fromisoformat(request["began"]))
    known = {"run_id": request["run"], "dag_run": began, "logical_date": None}
    context: Any = {"ti": instance, "params": params, **known}
    if hasattr(task, "python_callable"):
        return task.python_callable(**context)
    task.render_template_fields(context)
    if "event" in request:
        return getattr(task, request["method"])(context, request["event"])
    if task._pre_execute_hook:
        task._pre_execute_hook(context)
    return task.execute(context)


async def _first_event(path: str, arguments: dict[str, Any]) -> Any:
    async for event in import_string(path)(**arguments).run():
        return event.payload
    raise AssertionError(f"{path} ended without an event")


if __name__ == "__main__":
    main()
