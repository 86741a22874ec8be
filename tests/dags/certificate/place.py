"""Where histories happen: the code as it is deployed, the feed beside it, and what stands in for Google."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from local import secret_manager
from local.paths import ROOT
from local.spark_submit import Settings
from medallion.environments import Environment, load_environment
from medallion.products import Product, load_product
from medallion.release import build_release
from medallion.sql import render
from spark_jobs.secrets import ENDPOINT, METADATA
from tests.conftest import PROJECT
from tests.dags.certificate.dataproc import Drivers, serve
from tests.dags.certificate.faults import Plan
from tests.dags.certificate.scheduler import Worker
from tests.dags.certificate.services import BigQuery, Storage
from tests.dags.conftest import CONNECTION

FEED = Path(__file__).parent / "feed"
PRODUCT = "purchases"
DRIVER_OUTPUT = "certificate-dataproc"
# Of all places of a process, for they share an emulator, which keeps the jobs of a history. With the same
# files and names, the next would take them for its own.
HISTORIES = count(1)
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-DontCompileHugeMethods"
SPARK = {
    "spark.driver.extraJavaOptions": JAVA,
    # A task that fails is tried once more, as on machines of Dataproc; a laptop's Spark would give up.
    "spark.master": "local[2,2]",
    "spark.sql.shuffle.partitions": "2",
}


@dataclass(frozen=True)
class Stage:
    """What one history has to itself: datasets, empty buckets, and services with a plan of faults."""

    product: Product
    environment: Environment
    code: Path
    buckets: Path
    client: bigquery.Client
    plan: Plan
    bigquery: BigQuery
    drivers: Drivers
    worker: Worker
    request: dict[str, Any]
    record: Path

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query that no fault is before."""
        job = self.client.query(sql, retry=None, job_retry=None)  # type: ignore[arg-type]
        return [tuple(row.values()) for row in job.result(retry=None, job_retry=None)]

    def folder(self, bucket: str) -> Path:
        """The files of a bucket by what it is for."""
        return self.buckets / self.environment.buckets[bucket]


class Place:
    """Stays the same for many histories: emulators, code, and what Spark is known to make of a manifest."""

    def __init__(self, home: Path, bigquery_url: str, gcs_url: str, buckets: Path) -> None:
        self._home, self._bigquery_url, self._gcs_url, self._buckets = home, bigquery_url, gcs_url, buckets
        self._client = bigquery.Client(
            PROJECT, AnonymousCredentials(), client_options={"api_endpoint": bigquery_url}
        )
        self._secrets = ThreadingHTTPServer(("127.0.0.1", 0), secret_manager.handler(home / "secrets"))
        threading.Thread(target=self._secrets.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{self._secrets.server_port}"
        os.environ |= {METADATA: host, ENDPOINT: f"http://{host}/"}  # drivers inherit them
        (home / "secrets").mkdir()
        self._release = self._deploy()
        self.log = home / "worker.log"
        self._worker = Worker(home / "code", self._worker_environment(), self.log)

    def stop(self) -> None:
        self._worker.stop()
        self._secrets.shutdown()
        self._secrets.server_close()
        for name in (METADATA, ENDPOINT):
            del os.environ[name]

    @contextmanager
    def stage(self, without: tuple[str, ...] = ()) -> Iterator[Stage]:
        """Room for a history whose workers lack these guards; everything of it is gone afterwards."""
        environment = self._environment(f"certificate{next(HISTORIES)}")
        plan = Plan()
        proxies = BigQuery(self._bigquery_url, plan), Storage(self._gcs_url, plan)
        record = self._home / environment.name / "submissions.jsonl"
        settings = Settings(self._buckets, DRIVER_OUTPUT, "512m", slots=1, conf=SPARK)
        drivers = Drivers(settings, record, plan, self._home / "known")
        server, address = serve(drivers, plan)
        addresses = {
            "BIGQUERY_EMULATOR_HOST": proxies[0].url,
            "STORAGE_EMULATOR_HOST": proxies[1].url,
            "DATAPROC_EMULATOR_HOST": address,
            "MEDALLION_ENVIRONMENT": environment.name,
        }
        request = {"environment": addresses, "without": without}
        code = self._home / "code"
        product = load_product(PRODUCT, code / "conf")
        self._worker.plan = plan
        try:
            yield Stage(
                *(product, environment, code, self._buckets, self._client, plan, proxies[0], drivers),
                *(self._worker, request, record),
            )
        finally:
            server.stop(grace=None).wait()
            drivers.close()
            for proxy in proxies:
                proxy.stop()
            for dataset in environment.datasets.values():
                self._client.delete_dataset(dataset, delete_contents=True)

    def _environment(self, name: str) -> Environment:
        """An environment with datasets of its own, and buckets that are empty."""
        local = yaml.safe_load((ROOT / "conf" / "environments" / "local.yaml").read_text())
        buckets = {kind: f"certificate-{kind}" for kind in local["buckets"]}
        datasets = {kind: f"{kind}_{name}" for kind in local["datasets"]}
        document = {**local, "name": name, "project": PROJECT, "buckets": buckets, "datasets": datasets}
        conf = self._home / "code" / "conf"
        (conf / "environments" / f"{name}.yaml").write_text(yaml.safe_dump(document))
        environment = load_environment(name, conf)
        for kind in ("bronze", "lake"):
            shutil.rmtree(self._buckets / buckets[kind], ignore_errors=True)
            (self._buckets / buckets[kind]).mkdir()
        for dataset in datasets.values():
            self._client.create_dataset(dataset)
        self._client.query(render("ops/tables.sql", environment)).result()
        return environment

    def _deploy(self) -> str:
        """Lays the code out as on Composer, the feed in conf/ and sql/; returns the release of its jobs."""
        code = self._home / "code"
        for folder in ("conf/environments", "sql"):
            (code / folder).mkdir(parents=True)
        parts = [ROOT / part for part in ("dags", "medallion")]
        for source, into in [
            *((part, code) for part in parts),
            *((path, code / "sql") for path in (ROOT / "sql").iterdir() if path.name != "gold"),
            *((path, code / "conf") for path in (ROOT / "conf").glob("*.json")),
            *((path, code / "conf") for path in (FEED / "conf").iterdir()),
            (FEED / "sql" / "gold", code / "sql"),
        ]:
            (into / source.name).symlink_to(source)
        release, objects = build_release(ROOT)
        for name, data in objects.items():
            path = self._buckets / "certificate-code" / release / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return release

    def _worker_environment(self) -> dict[str, str]:
        code = self._home / "code"
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (code, code / "dags", ROOT))),
            "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": CONNECTION,
            "AIRFLOW_VAR_MEDALLION_RELEASE": self._release,
            "GOOGLE_CLOUD_PROJECT": PROJECT,
        }
