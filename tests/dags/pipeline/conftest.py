"""Products on the emulators, run by their real tasks: a small one, and the real one with its Spark job."""

import json
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud import bigquery
from pyspark.sql import SparkSession

import medallion.gold
from local.mail import mail_server
from local.open_meteo import OpenMeteo
from local.services import free_ports
from local.standins import MAIL_OPTIONS
from medallion.alerts import Alert
from medallion.models import load_model
from medallion.products import GoldTable, load_product
from medallion.sql import SQL
from pipeline import http_source
from pipeline.bronze import Bronze
from tests.dags.pipeline.channels import Channel, Mails
from tests.dags.pipeline.collection import Collection, use_firestore
from tests.dags.pipeline.environments import drop_tables, make_environment
from tests.dags.pipeline.incidents import TEAM
from tests.dags.pipeline.models import ModelRun
from tests.dags.pipeline.orders import Pipeline

Feed = Callable[[str], Any]  # makes a RealPipeline
Define = Callable[..., None]
SELECT = """-- Orders of each date.
SELECT order_date, COUNT(*) AS orders, SUM(amount) AS amount
FROM `{{ silver }}.PRODUCT`
WHERE order_date IN UNNEST(touched)
GROUP BY order_date
"""
CHECKS = """-- #fail small: a date has at most 100
SELECT order_date, amount FROM `{{ build }}` WHERE amount > 100;
-- #warn lonely: a date has two orders or more
SELECT order_date FROM `{{ build }}` WHERE orders < 2;
"""


@pytest.fixture
def emulators(bigquery_url: str, gcs_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points what tasks ask Google's services at the emulators, and names a release."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_url)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_url)
    monkeypatch.setenv("AIRFLOW_VAR_MEDALLION_RELEASE", "release")


@pytest.fixture
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mails]:
    """The mails that were sent."""
    (port,) = free_ports(1)
    folder = tmp_path / "mails"
    server = mail_server(folder, port)
    server.start()
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": MAIL_OPTIONS}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    yield lambda: [message_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.eml"))]
    server.stop()


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """A channel of Slack, behind the connection `team_channel`."""
    channel = Channel()
    threading.Thread(target=channel.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{channel.server_port}/services"
    token = {"password": "T1/B2/x3"}  # pragma: allowlist secret
    connection = {"conn_type": "slackwebhook", "host": url, **token}
    monkeypatch.setenv("AIRFLOW_CONN_TEAM_CHANNEL", json.dumps(connection))
    yield channel
    channel.shutdown()
    channel.server_close()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenMeteo]:
    """A weather API, behind the connection `weather_api`."""
    server = OpenMeteo()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    connection = {"conn_type": "http", "host": server.url, "extra": {"X-Key": "secret"}}
    monkeypatch.setenv("AIRFLOW_CONN_WEATHER_API", json.dumps(connection))
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, but for none."""
    waited: list[float] = []
    monkeypatch.setattr(http_source, "sleep", lambda seconds: waited.append(seconds) if seconds else None)
    return waited


@pytest.fixture
def bronze(emulators: None, request: pytest.FixtureRequest) -> Bronze:
    """A part of bronze of the test's own, with nothing in it yet."""
    storage = GCSHook().get_conn()
    if not storage.bucket("pulled").exists():
        storage.create_bucket("pulled")
    return Bronze(storage.bucket("pulled"), re.sub(r"[^a-z0-9]+", "-", request.node.nodeid.lower()))


@pytest.fixture
def pipeline(
    warehouse: bigquery.Client,
    emulators: None,
    buckets: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Pipeline]:
    """A product of the test's own, with nothing in it yet."""
    environment = make_environment(warehouse)
    test = request.node.name
    name = f"{re.sub(r'[^a-z0-9]+', '_', test)[:40]}_{zlib.crc32(test.encode()):08x}"
    wanted = {"gold": (), "cluster_by": (), "train": None, "max_rejected_ratio": 1.0}
    product = replace(load_product("customer_transactions"), name=name, **wanted)
    pipeline = Pipeline(product, environment, warehouse, buckets)
    monkeypatch.setattr("pipeline.discover.load_contract", lambda _: pipeline.contract)
    yield pipeline
    drop_tables(warehouse, environment, keep=("ops",))


@pytest.fixture
def run(warehouse: bigquery.Client, emulators: None, request: pytest.FixtureRequest) -> Iterator[ModelRun]:
    """A model's run of the test's own, whose jobs no other test's are taken for."""
    environment = make_environment(warehouse)
    models = GCSHook().get_conn().create_bucket(environment.buckets["models"])
    name = f"churn_{zlib.crc32(request.node.name.encode()):08x}"
    run = ModelRun(replace(load_model("customer_churn"), name=name), environment, warehouse, models)
    run.store()
    yield run
    models.delete(force=True)
    drop_tables(warehouse, environment)


@pytest.fixture
def collection(pipeline: Pipeline, firestore_address: str, monkeypatch: pytest.MonkeyPatch) -> Collection:
    """The collection of the product, with nothing in it yet."""
    use_firestore(monkeypatch, firestore_address)
    return Collection(pipeline, firestore_address)


@pytest.fixture
def feed(warehouse: bigquery.Client, emulators: None, buckets: Path, spark: SparkSession) -> Feed:
    """Makes the real product in a warehouse of its own by a name, with nothing in it yet."""
    from tests.dags.pipeline.real_job import PRODUCT, RealPipeline  # which loads Spark

    def make(name: str) -> RealPipeline:
        product = replace(load_product(PRODUCT), train=None, max_rejected_ratio=1.0)
        made = RealPipeline(product, make_environment(warehouse, f"_{name}"), warehouse, buckets)
        made.spark = spark
        return made

    return make


@pytest.fixture
def define(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Define:
    """Gives the product a gold table of its own name, whose files a test may change."""
    table = GoldTable(pipeline.product.name, "touched_partitions", "order_date")
    pipeline.product = replace(pipeline.product, gold=(table,))
    for path in ("gold", "pipeline"):
        (tmp_path / path).mkdir()
    for source in (SQL / "pipeline").iterdir():
        (tmp_path / "pipeline" / source.name).symlink_to(source)
    for name in ("gold.refresh_script", "discover.gold_definition"):
        real = getattr(medallion.gold, name.partition(".")[2])
        monkeypatch.setattr(f"pipeline.{name}", partial(real, folder=tmp_path))

    def write(select: str = SELECT, checks: str = CHECKS) -> None:
        file = tmp_path / "gold" / pipeline.product.name
        file.with_suffix(".sql").write_text(select.replace("PRODUCT", pipeline.product.name))
        file.with_suffix(".checks.sql").write_text(checks)

    write()
    return write


@pytest.fixture
def alerted(pipeline: Pipeline, define: Define) -> Pipeline:
    """A product with a gold table, and an alert for a date whose amount is above 50."""
    name = pipeline.product.name
    alert = Alert("high", "Too much; ask the shop.", name, "amount > 50 -- at most", TEAM)
    pipeline.product = replace(pipeline.product, alerts=(alert,), notify_failure=TEAM)
    return pipeline
