"""A real Airflow on the laptop: its settings, its four processes, and its REST API."""

import json
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from local.paths import AIRFLOW, CACHE, LOGS, ROOT
from local.services import Service, ServiceError, answers_http

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")


def settings(port: int, worker_log_port: int, trigger_log_port: int) -> dict[str, str]:
    """Airflow's configuration as environment variables.

    The heartbeats are those of a laptop, where a second counts: the defaults keep an executor slot busy for
    five seconds after its task and notice a killed one only after five minutes. The keys are new each time,
    for the servers of tasks' logs listen on every interface, and whoever knows the keys may read there.
    """
    sections = {
        "CORE": {
            "DAGS_FOLDER": str(ROOT / "dags"),
            "PLUGINS_FOLDER": str(ROOT / "local" / "airflow_plugins"),
            "EXECUTOR": "LocalExecutor",
            "PARALLELISM": "8",
            "LOAD_EXAMPLES": "False",
            "SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "DAGS_ARE_PAUSED_AT_CREATION": "False",
            "EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
            "FERNET_KEY": "",
        },
        "DATABASE": {"SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW / 'airflow.db'}"},
        "API": {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "BASE_URL": f"http://localhost:{port}",
            "WORKERS": "1",
            "SECRET_KEY": secrets.token_urlsafe(),
        },
        "API_AUTH": {"JWT_SECRET": secrets.token_urlsafe()},
        "SCHEDULER": {
            "SCHEDULER_HEARTBEAT_SEC": "1",
            "SCHEDULER_IDLE_SLEEP_TIME": "0.3",
            "TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "ENABLE_HEALTH_CHECK": "False",
        },
        "DAG_PROCESSOR": {
            "REFRESH_INTERVAL": "5",
            "MIN_FILE_PROCESS_INTERVAL": "30",
            "PARSING_PROCESSES": "1",
        },
        "TRIGGERER": {"JOB_HEARTBEAT_SEC": "1", "TRIGGERER_HEALTH_CHECK_THRESHOLD": "5"},
        "WORKERS": {"MIN_HEARTBEAT_INTERVAL": "1"},
        # Composer sends these events to Data Lineage.
        "OPENLINEAGE": {
            "TRANSPORT": json.dumps(
                {"type": "file", "log_file_path": str(AIRFLOW / "lineage.jsonl"), "append": True}
            ),
            "NAMESPACE": "medallion",
        },
        "LOGGING": {
            "BASE_LOG_FOLDER": str(AIRFLOW / "logs"),
            "WORKER_LOG_SERVER_PORT": str(worker_log_port),
            "TRIGGER_LOG_SERVER_PORT": str(trigger_log_port),
        },
    }
    variables = {
        f"AIRFLOW__{section}__{key}": value
        for section, keys in sections.items()
        for key, value in keys.items()
    }
    return {**variables, "AIRFLOW_HOME": str(AIRFLOW), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def services(environment: Mapping[str, str], port: int) -> list[Service]:
    """The four processes; all of them are ready when the API server says that they are healthy."""
    healthy = _healthy(port)
    return [
        Service(
            f"airflow-{component}",
            [sys.executable, "-m", "airflow", component],
            environment,
            answers_http(f"http://localhost:{port}/api/v2/version") if component == "api-server" else healthy,
        )
        for component in COMPONENTS
    ]


def prepare_database(environment: Mapping[str, str], version: str) -> None:
    """A fresh metadata database. A migrated one is kept aside, for a migration takes longer than a copy.

    Raises ServiceError where Airflow can't make one.
    """
    migrated = CACHE / f"airflow-{version}.db"
    database = AIRFLOW / "airflow.db"
    AIRFLOW.mkdir(parents=True, exist_ok=True)
    if not migrated.exists():
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True)
        if done.returncode:
            raise ServiceError(
                f"airflow db migrate: expected a migrated database, got code {done.returncode}. "
                f"Next: read what it says.\n{done.stderr[-2000:]}"
            )
        _checkpoint(database)
        migrated.parent.mkdir(parents=True, exist_ok=True)
        # Under its name only when whole, for it may be interrupted.
        copied = shutil.copyfile(database, migrated.with_suffix(".partial"))
        copied.rename(migrated)
    else:
        shutil.copyfile(migrated, database)


class AirflowApi:
    """The part of Airflow's REST API that the commands use."""

    def __init__(self, port: int) -> None:
        self._url = f"http://localhost:{port}"
        token = requests.get(f"{self._url}/auth/token", timeout=30).json()["access_token"]
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dag(self, dag: str, seconds: int = 120) -> None:
        """Waits for the DAG processor to bring a DAG; else raises ServiceError with the import errors."""
        deadline = time.monotonic() + seconds
        while self._session.get(f"{self._url}/api/v2/dags/{dag}", timeout=30).status_code == 404:
            if time.monotonic() > deadline:
                raise ServiceError(f"{dag}: expected a DAG within {seconds} s, got {self._import_errors()}")
            time.sleep(0.3)

    def trigger(self, dag: str, conf: dict[str, Any] | None = None) -> str:
        """Starts a run of a DAG; returns the run's id."""
        body: dict[str, Any] = {"logical_date": None, "conf": conf or {}}
        answer = self._session.post(f"{self._url}/api/v2/dags/{dag}/dagRuns", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["dag_run_id"]

    def pause(self, dag: str) -> None:
        """Pauses a DAG: runs of it can be triggered, and wait."""
        answer = self._session.patch(f"{self._url}/api/v2/dags/{dag}", json={"is_paused": True}, timeout=30)
        answer.raise_for_status()

    def run(self, dag: str, run: str) -> dict[str, Any]:
        """A DAG run."""
        return self.get(f"dags/{dag}/dagRuns/{run}")

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The runs of a DAG."""
        return self.get(f"dags/{dag}/dagRuns")["dag_runs"]

    def newest_arrival(self, dag: str) -> str | None:
        """The id of the newest run that files have started by their arrival."""
        return self._newest(dag, "run_type=asset_triggered")

    def active(self, dag: str) -> str | None:
        """The id of a run that has not ended yet."""
        return self._newest(dag, "state=queued&state=running")

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        return self.get(f"dags/{dag}/dagRuns/{run}/taskInstances?limit=200")["task_instances"]

    def returned(self, dag: str, run: str, task: str) -> Any:
        """What a task returned; None when it returned nothing."""
        name = f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries"
        if not self.get(f"{name}?xcom_key=return_value")["xcom_entries"]:
            return None
        return self.get(f"{name}/return_value")["value"]

    def cause(self, dag: str, run: str, task: str, attempt: int) -> str:
        """What a task's try says of its failure."""
        answer = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{attempt}?full_content=true")
        lines = [line for line in answer.get("content", ()) if isinstance(line, dict)]
        errors = [error for line in lines for error in line.get("error_detail") or ()]
        if errors:
            return f"{errors[0]['exc_type']}: {errors[0]['exc_value']}"
        return "\n".join(line["event"] for line in lines[-5:])

    def get(self, path: str) -> dict[str, Any]:
        """The answer to a question that the methods above don't ask."""
        answer = self._session.get(f"{self._url}/api/v2/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _import_errors(self) -> str:
        """Why the DAG processor has not brought a DAG, and what to do about it."""
        errors = [error["stack_trace"] for error in self.get("importErrors")["import_errors"]]
        if not errors:
            return f"none, and no import error. Next: read {LOGS / 'airflow-dag-processor.log'}."
        return "\n".join([f"{len(errors)} import errors:", *errors, "Next: mend the file."])

    def _newest(self, dag: str, query: str) -> str | None:
        runs = self.get(f"dags/{dag}/dagRuns?{query}&order_by=-id&limit=1")["dag_runs"]
        return runs[0]["dag_run_id"] if runs else None


def _healthy(port: int) -> Any:
    def ready() -> bool:
        try:
            health = requests.get(f"http://localhost:{port}/api/v2/monitor/health", timeout=5).json()
        except (requests.RequestException, json.JSONDecodeError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    return ready


def _checkpoint(database: Path) -> None:
    """Writes SQLite's journal into the file itself, so that a copy of the file is whole."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
