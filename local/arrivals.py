"""Arrivals on the laptop: what Terraform makes for them in the cloud, and the wait for the run of one."""

import time
from collections.abc import Iterable

import requests
from google.cloud import storage

from local.airflow import AirflowApi
from local.paths import LOGS
from local.products import products_that_load
from medallion.arrival import subscription_of
from medallion.environments import Environment
from medallion.errors import MedallionError
from medallion.products import Product

ARRIVAL_SECONDS = 180  # it takes less than ten where a laptop has nothing else to do


def products_on_arrival() -> list[Product]:
    """Products of which a file that lands starts a run."""
    return [product for product in products_that_load() if product.on_arrival]


def deploy_arrivals(
    products: Iterable[Product], environment: Environment, client: storage.Client, pubsub: str
) -> None:
    """Gives each product a subscription that hears of its files.

    In the cloud all hang on one topic and filter it. The emulator, at the address `pubsub`, heeds no filter:
    here each has a topic, which Cloud Storage tells of the product's files only.
    """
    bronze = client.bucket(environment.buckets["bronze"])
    for product in products:
        name = subscription_of(product.name)
        topic = f"projects/{environment.project}/topics/{name}"
        _make(f"http://{pubsub}/v1/{topic}", {})
        subscription = {"topic": topic, "ackDeadlineSeconds": 60}
        _make(f"http://{pubsub}/v1/projects/{environment.project}/subscriptions/{name}", subscription)
        bronze.notification(
            topic_name=name,
            topic_project=environment.project,
            blob_name_prefix=f"{product.name}/",
            event_types=["OBJECT_FINALIZE"],
            payload_format="NONE",
        ).create()


def wait_for_arrival(api: AirflowApi, dag: str, before: str | None) -> str:
    """The run that an arrival starts after `before`, the newest one of that kind until then.

    Raises MedallionError where there is none in ARRIVAL_SECONDS.
    """
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while time.monotonic() < deadline:
        run = api.newest_arrival(dag)
        if run is not None and run != before:
            return run
        time.sleep(0.5)
    expected = f"a run within {ARRIVAL_SECONDS} s of the landing"
    log = LOGS / "airflow-triggerer.log"
    raise MedallionError(f"{dag}: expected {expected}, got none. Next: is the DAG paused? Read {log}.")


def _make(url: str, body: dict[str, object]) -> None:
    requests.put(url, json=body, timeout=30).raise_for_status()
