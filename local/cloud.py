"""The local cloud as a whole: how it starts and stops, what is deployed to it, and how commands ask it."""

import base64
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from deploy.storage import upload_release
from local import airflow
from local.arrivals import deploy_arrivals, products_on_arrival
from local.paths import BIGQUERY, DATABASE, DATAPROC, GCS, LOCK, LOGS, MAIL, PORTS, RUN, STATE
from local.services import ServiceError, Services, free_ports, hold, recorded_processes
from local.sources import FIRESTORE, PUBSUB, address_of, connections, source_services
from local.standins import DATAPROC_BUCKET, airflow_environment, standin_services
from medallion.documents import ROOT
from medallion.environments import Environment, load_environment
from medallion.release import build_release
from medallion.sql import render

ENVIRONMENT = "local"
UPLOADS = 8
WHAT_HOLDS_DATA = ("gcs", "bigquery")


@dataclass(frozen=True)
class Cloud:
    """A running local cloud."""

    environment: Environment
    ports: dict[str, int]

    @property
    def airflow_url(self) -> str:
        """Airflow's page."""
        return f"http://localhost:{self.ports['airflow']}"

    def page(self, dag: str, run: str) -> str:
        """Airflow's page of a run."""
        return f"{self.airflow_url}/dags/{dag}/runs/{run}"

    def save(self) -> None:
        """Notes where the cloud is to be found, for the commands that come while it is up."""
        PORTS.write_text(json.dumps(self.ports, indent=1))

    def storage(self) -> storage.Client:
        """A client of the local Cloud Storage."""
        options = ClientOptions(api_endpoint=f"http://127.0.0.1:{self.ports['gcs']}")
        return storage.Client(self.environment.project, AnonymousCredentials(), client_options=options)

    def bigquery(self) -> bigquery.Client:
        """A client of the local BigQuery."""
        options = ClientOptions(api_endpoint=f"http://127.0.0.1:{self.ports['bigquery']}")
        return bigquery.Client(self.environment.project, AnonymousCredentials(), client_options=options)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query. The emulator answers a wrong query with an error that is not worth a retry."""
        job = self.bigquery().query(sql, retry=None, job_retry=None)  # type: ignore[arg-type]
        return [dict(row) for row in job.result(retry=None, job_retry=None)]

    def land(self, product: str, files: dict[str, Path]) -> int:
        """Puts files into bronze under a product's name and their own; returns how many.

        A file that is there with the same content stays: putting it again would make a new version.
        """
        bucket = self.storage().bucket(self.environment.buckets["bronze"])
        landed = {blob.name: blob.md5_hash for blob in bucket.list_blobs(prefix=f"{product}/")}

        def upload(item: tuple[str, Path]) -> bool:
            name, path = f"{product}/{item[0]}", item[1]
            with path.open("rb") as content:
                checksum = base64.b64encode(hashlib.file_digest(content, "md5").digest()).decode()
            if landed.get(name) == checksum:
                return False
            bucket.blob(name).upload_from_filename(path)
            return True

        with ThreadPoolExecutor(UPLOADS) as pool:
            return sum(pool.map(upload, files.items()))


def running_cloud() -> Cloud | None:
    """The cloud that `make up` left running."""
    if not (PORTS.exists() and recorded_processes(STATE)):
        return None
    return Cloud(load_environment(ENVIRONMENT), json.loads(PORTS.read_text()))


@contextmanager
def local_cloud(keep: bool, with_airflow: bool = True, sources: Iterable[str] = ()) -> Iterator[Cloud]:
    """Starts the local cloud, with yesterday's data where `keep` says so and the sources that are named, and
    stops it whatever happens.
    """
    services = start_over(keep, with_airflow)
    try:
        yield start(services, with_airflow, sources=sources)
    finally:
        services.stop()


def start_over(keep: bool, with_airflow: bool = True) -> Services:
    """Clears the way: stops what a killed command left behind.

    Raises ServiceError rather than disturb a cloud that is up, or another command at work.
    """
    hold(LOCK)
    if PORTS.exists() and recorded_processes(STATE):
        raise ServiceError("The local cloud is up already. Next: make down, then try again.")
    Services(STATE, LOGS).stop()
    PORTS.unlink(missing_ok=True)  # of a cloud that ended without `make down`
    if not keep:
        for folder in (GCS, BIGQUERY, DATABASE, DATAPROC, MAIL, RUN):
            shutil.rmtree(folder, ignore_errors=True)
    if with_airflow:
        shutil.rmtree(airflow.AIRFLOW, ignore_errors=True)  # it knows nothing that ops doesn't
    return Services(STATE, LOGS)


def start(
    services: Services,
    with_airflow: bool = True,
    airflow_port: int | None = None,
    sources: Iterable[str] = (),
) -> Cloud:
    """Starts every service, deploys, and waits until all of them answer.

    With Pub/Sub among the sources, a file that lands is announced.
    """
    names = (
        *sources,
        "mail",
        "gcs",
        "dataproc",
        "secrets",
        "bigquery",
        "bigquery_grpc",
        "airflow",
        "worker_log",
        "trigger_log",
    )
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    if airflow_port:
        ports["airflow"] = airflow_port
    cloud = Cloud(load_environment(ENVIRONMENT), ports)
    standins = [*standin_services(ports, cloud.environment), *source_services(sources, ports)]
    if not with_airflow:
        standins = [service for service in standins if service.name in WHAT_HOLDS_DATA]
    for service in standins:
        services.start(service)
    if not with_airflow:
        for service in standins:
            services.wait(service)
        return cloud
    release, objects = build_release(ROOT)
    environment = airflow_environment(ports, cloud.environment, release) | connections(sources, ports)
    airflow.prepare_database(environment, version("apache-airflow"))
    components = airflow.services(environment, ports["airflow"])
    for service in components:
        services.start(service)
    for service in standins:
        services.wait(service)
    deploy(cloud, release, objects)
    for service in components:
        services.wait(service)
    return cloud


def deploy(cloud: Cloud, release: str, objects: dict[str, bytes]) -> None:
    """What Terraform and the deployment do in the cloud: buckets, datasets, ops tables and the release."""
    client = cloud.storage()
    for name in (*cloud.environment.buckets.values(), DATAPROC_BUCKET):
        if not client.bucket(name).exists():
            client.create_bucket(name)
    upload_release(client.bucket(cloud.environment.buckets["code"]), release, objects)
    for dataset in cloud.environment.datasets.values():
        cloud.bigquery().create_dataset(dataset, exists_ok=True, timeout=30)
    cloud.query(render("ops/tables.sql", cloud.environment))
    if PUBSUB in cloud.ports:
        pubsub = address_of(PUBSUB, cloud.ports)
        deploy_arrivals(products_on_arrival(), cloud.environment, client, pubsub)
    if FIRESTORE in cloud.ports:  # it starts empty, whatever an earlier one was given
        ops = cloud.environment.datasets["ops"]
        cloud.query(f"UPDATE `{ops}.documents` SET fingerprint = NULL WHERE TRUE")
