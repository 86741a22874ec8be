"""Files announce themselves: Cloud Storage tells Google's Pub/Sub emulator, a product's own trigger hears."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from local.arrivals import deploy_arrivals
from local.services import Service, Services, answers_http, free_ports
from medallion.arrival import subscription_of
from medallion.environments import load_environment
from medallion.products import load_product
from pipeline.arrival import landed_files

ROOT = Path(__file__).parents[3]
LOCAL = load_environment("local")
BRONZE = LOCAL.buckets["bronze"]
SALES, ORDERS = load_product("sales"), load_product("customer_transactions")


def cloud_storage(services: Services, root: Path, pubsub: str) -> storage.Client:
    """A client of a local Cloud Storage that announces, with an empty bronze."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "local.gcs", "--root", str(root), "--port", str(port)]
    ready = answers_http(f"{url}/storage/v1/b")
    service = Service(f"gcs-{port}", [*command, "--pubsub", pubsub], {"PYTHONPATH": str(ROOT)}, ready)
    services.start(service)
    services.wait(service)
    client = storage.Client(LOCAL.project, AnonymousCredentials(), client_options={"api_endpoint": url})
    client.create_bucket(BRONZE)
    return client


@pytest.fixture(scope="module")
def bronze(
    services: Services, tmp_path_factory: pytest.TempPathFactory, pubsub_address: str
) -> storage.Bucket:
    """Bronze, with what two products need to hear of their files."""
    client = cloud_storage(services, tmp_path_factory.mktemp("announcing"), pubsub_address)
    deploy_arrivals([SALES, ORDERS], LOCAL, client, pubsub_address)
    return client.bucket(BRONZE)


@pytest.fixture(autouse=True)
def nothing_waits(bronze: storage.Bucket, pubsub_address: str) -> Iterator[None]:
    """Takes off what a test has left."""
    yield
    for product in (SALES, ORDERS):
        while heard(pubsub_address, product.name):
            continue


def heard(pubsub: str, product: str) -> list[dict[str, str]]:
    """Attributes of the announcements that wait for a product, which are taken off."""
    url = f"http://{pubsub}/v1/projects/{LOCAL.project}/subscriptions/{subscription_of(product)}"
    query = {"maxMessages": 1000, "returnImmediately": True}
    found = requests.post(f"{url}:pull", json=query, timeout=30).json().get("receivedMessages", [])
    if found:
        ids = [item["ackId"] for item in found]
        requests.post(f"{url}:acknowledge", json={"ackIds": ids}, timeout=30).raise_for_status()
    return [item["message"]["attributes"] for item in found]


def test_an_object_is_announced_to_its_product_alone(bronze: storage.Bucket, pubsub_address: str) -> None:
    blob = bronze.blob("sales/acorn/day.csv")
    blob.upload_from_string("x")
    bronze.blob("salesman/day.csv").upload_from_string("of no product that waits")
    (told,) = heard(pubsub_address, "sales")
    said = ("eventType", "bucketId", "objectId", "objectGeneration", "payloadFormat")
    assert {name: told[name] for name in said} == {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": BRONZE,
        "objectId": "sales/acorn/day.csv",
        "objectGeneration": str(blob.generation),
        "payloadFormat": "NONE",
    }
    assert heard(pubsub_address, "customer_transactions") == []


def test_every_generation_is_announced(bronze: storage.Bucket, pubsub_address: str) -> None:
    generations = []
    for content in ("first", "second"):
        blob = bronze.blob("sales/again.csv")
        blob.upload_from_string(content)
        generations.append(str(blob.generation))
    assert sorted(told["objectGeneration"] for told in heard(pubsub_address, "sales")) == generations


def test_an_object_lands_though_nobody_can_be_told(services: Services, tmp_path: Path) -> None:
    (deaf,) = free_ports(1)
    client = cloud_storage(services, tmp_path, f"127.0.0.1:{deaf}")
    bucket = client.bucket(BRONZE)
    bucket.notification("t", LOCAL.project, event_types=["OBJECT_FINALIZE"], payload_format="NONE").create()
    bucket.blob("sales/day.csv").upload_from_string("x")
    assert (tmp_path / BRONZE / "sales/day.csv").read_text() == "x"


def test_the_products_trigger_makes_one_event_of_many(
    bronze: storage.Bucket, pubsub_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_address)
    names = [f"sales/{number}.csv" for number in range(20)]
    for name in names:
        bronze.blob(name).upload_from_string(name)
    (watcher,) = landed_files(SALES, LOCAL).watchers

    async def event() -> dict[str, Any]:
        return (await anext(watcher.trigger.run())).payload

    messages = asyncio.run(event())["message"]
    assert sorted(item["message"]["attributes"]["objectId"] for item in messages) == sorted(names)
    assert heard(pubsub_address, "sales") == []  # they were acknowledged
