"""What every product needs of the local cloud: stand-ins of Google's services, and how Airflow finds them."""

import json
import os
import sys
from collections.abc import Mapping

from local import airflow
from local.java import java_home
from local.paths import BIGQUERY, EMULATORS, GCS, MAIL, SECRETS
from local.services import Service, accepts_connections, answers_http
from local.sources import PUBSUB, address_of
from medallion.environments import Environment

# How Google's tools call the addresses of the metadata server and of Secret Manager.
METADATA, ENDPOINT = "GCE_METADATA_HOST", "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"
DATAPROC_BUCKET = "local-dataproc"
MAIL_OPTIONS = {"from_email": "medallion@localhost", "disable_ssl": True, "disable_tls": True}


def standin_services(ports: Mapping[str, int], environment: Environment) -> list[Service]:
    """Cloud Storage, Dataproc, Secret Manager, BigQuery and a mail server, on the ports by their names."""
    python = [sys.executable, "-m"]
    root = ["--root", str(GCS), "--port"]
    secrets = f"127.0.0.1:{ports['secrets']}"
    dataproc = [*root, str(ports["dataproc"]), "--staging-bucket", DATAPROC_BUCKET]
    # On two cores the collector that Java takes by itself is slower than the one made for throughput. For the
    # other option see _session in spark_jobs/clean.py.
    options = "-XX:+UseParallelGC -XX:-DontCompileHugeMethods"
    dataproc += ["--conf", f"spark.driver.extraJavaOptions={options}"]
    pubsub = address_of(PUBSUB, ports)
    return [
        Service(
            "gcs",
            [*python, "local.gcs", *root, str(ports["gcs"]), *(["--pubsub", pubsub] if pubsub else [])],
            {},
            answers_http(f"http://127.0.0.1:{ports['gcs']}/storage/v1/b"),
        ),
        Service(
            "dataproc",
            [*python, "local.dataproc", *dataproc],
            {"JAVA_HOME": str(java_home()), METADATA: secrets, ENDPOINT: f"http://{secrets}/"},
            accepts_connections(ports["dataproc"]),
        ),
        Service(
            "secrets",
            [*python, "local.secret_manager", "--folder", str(SECRETS), "--port", str(ports["secrets"])],
            {},
            accepts_connections(ports["secrets"]),
        ),
        Service(
            "mail",
            [*python, "local.mail", "--folder", str(MAIL), "--port", str(ports["mail"])],
            {},
            accepts_connections(ports["mail"]),
        ),
        _bigquery(ports, environment),
    ]


def airflow_environment(ports: Mapping[str, int], environment: Environment, release: str) -> dict[str, str]:
    """Everything that makes the DAGs' Google clients local, and nothing that the DAGs look at."""
    connection = (
        '{"conn_type": "google_cloud_platform",'
        f' "extra": {{"is_anonymous": true, "project": "{environment.project}"}}}}'
    )
    return {
        **os.environ,
        **airflow.settings(ports["airflow"], ports["worker_log"], ports["trigger_log"]),
        "MEDALLION_ENVIRONMENT": environment.name,
        "AIRFLOW_VAR_MEDALLION_RELEASE": release,
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": connection,
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
            {"conn_type": "smtp", "host": "127.0.0.1", "port": ports["mail"], "extra": MAIL_OPTIONS}
        ),
        "GOOGLE_CLOUD_PROJECT": environment.project,
        "STORAGE_EMULATOR_HOST": f"http://localhost:{ports['gcs']}",
        "BIGQUERY_EMULATOR_HOST": f"http://localhost:{ports['bigquery']}",
        "DATAPROC_EMULATOR_HOST": f"localhost:{ports['dataproc']}",
    }


def _bigquery(ports: Mapping[str, int], environment: Environment) -> Service:
    BIGQUERY.mkdir(parents=True, exist_ok=True)
    command = [
        *[str(EMULATORS / "python"), "-m", "bqemulator", "start"],
        *["--persistent", "--data-dir", str(BIGQUERY)],
        *["--rest-port", str(ports["bigquery"]), "--grpc-port", str(ports["bigquery_grpc"])],
        *["--project", environment.project, "--log-level", "warning"],
    ]
    healthy = answers_http(f"http://127.0.0.1:{ports['bigquery']}/healthz")
    return Service("bigquery", command, {"BQEMU_GCS_LOCAL_ROOT": str(GCS)}, healthy)
