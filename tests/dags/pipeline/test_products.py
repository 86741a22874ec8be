"""Each product of conf/ from its source to gold: the real tasks, job, contracts and SQL, on small data."""

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml
from airflow.providers.google.cloud.hooks.gcs import GCSHook
from google.cloud import bigquery
from pyspark.sql import SparkSession

from local import mariadb
from local.open_meteo import OpenMeteo, forecast
from medallion.documents import CONF
from medallion.gold import gold_definition, refresh_script
from medallion.odcs import load_contract, parse_contract
from medallion.product_checks import contract_problems, product_problems
from medallion.products import load_product
from medallion.sql import SQL
from tests.dags.pipeline.channels import Mails, text
from tests.dags.pipeline.collection import documents, use_firestore
from tests.dags.pipeline.environments import drop_tables, make_environment
from tests.dags.pipeline.products import WholePipeline
from tests.sql.cases import require_expected

Products = Callable[[str], WholePipeline]


@pytest.fixture
def products(
    spark: SparkSession,
    warehouse: bigquery.Client,
    emulators: None,
    buckets: Path,
) -> Iterator[Products]:
    """The pipeline of a product, whose tables are empty."""
    environment = make_environment(warehouse)
    reports = GCSHook().get_conn().bucket(environment.buckets["reports"])
    if not reports.exists():
        reports.create()

    def pipeline(name: str) -> WholePipeline:
        made = WholePipeline(load_product(name), environment, warehouse, buckets)
        made.spark = spark
        return made

    yield pipeline
    drop_tables(warehouse, environment)


@pytest.fixture
def weather_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenMeteo]:
    server = OpenMeteo()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("AIRFLOW_CONN_OPEN_METEO", json.dumps({"conn_type": "http", "host": server.url}))
    yield server
    server.shutdown()
    server.server_close()


def test_weather_goes_from_its_api_to_documents_and_mails(
    products: Products,
    weather_api: OpenMeteo,
    firestore_address: str,
    mails: Mails,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_firestore(monkeypatch, firestore_address)
    weather = products("weather")
    morning = datetime(2026, 7, 31, 5, tzinfo=UTC)
    weather_api.faults.append("malformed")
    states = weather.run_all(morning)
    assert set(states.values()) == {"success"}
    assert weather.counted() == (96, 96, 0, 0)
    (lima,) = forecast(next(query for query in weather_api.asked if query["latitude"] == ["-12.05"]))
    temperatures, rain = (lima["hourly"][name] for name in ("temperature_2m", "precipitation"))
    (day,) = weather.query(
        "SELECT hours, CAST(warmest AS FLOAT64), CAST(precipitation AS FLOAT64) FROM gold.weather_daily"
        " WHERE city = 'lima'"
    )
    assert day == (24, max(temperatures), pytest.approx(sum(rain)))
    (answer,) = weather.query(
        "SELECT source_file, forecast_on FROM silver.weather WHERE city = 'lima' LIMIT 1"
    )
    assert answer == ("gs://local-bronze/weather/city=lima/period=2026-07-31/1.json", date(2026, 7, 31))
    # It is hot in Lima and Singapore.
    (mail,) = mails()
    assert (mail["To"], mail["Subject"]) == ("store-operations@example.com", "weather: heat")
    assert "<p>Rows: 2</p>" in text(mail)
    assert "gold.weather_daily of 2026-07-31: warmest &gt;= 38" in text(mail)

    shown = documents(firestore_address, weather.environment, "weather")
    assert set(shown) == {"berlin", "lima", "new-york", "singapore"}
    assert shown["lima"]["forecast_date"] == {"stringValue": "2026-07-31"}
    assert shown["lima"]["warmest"] == {"stringValue": f"{max(temperatures):g}"}

    assert weather.run_all(morning) == {"extract": "success", "discover": "skipped"}
    assert len(weather_api.asked) == 4 + 1


SALES = "seller,order,sku,sold_at,reported_at,quantity,unit_price,discount"
EARLY, LATE = "2026-01-05T15:00:00Z", "2026-01-06T09:00:00-05:00"


def line(**values: Any) -> str:
    """A sale as a JSON line."""
    sale = {"seller": "birch", "order": "1", "sku": "BB-0001", "sold_at": EARLY, "reported_at": LATE}
    return json.dumps({**sale, "quantity": 1, "unit_price": 5, **values})


def test_sales_come_from_several_sellers_in_formats_of_their_own(products: Products) -> None:
    sales = products("sales")
    sales.land(
        "acorn/2026-01-05.csv",
        f"acorn,1,AA-0001,{EARLY},{EARLY},2,10.00,1.00",
        f"acorn,2,AA-0001,{EARLY},{EARLY},0,10.00,",  # no pieces
        f"acorn,2,AA-0002,{EARLY},{EARLY},1,10.00,10.01",  # more given away than it costs
        header=SALES,
    )
    more = line(order="2", unit_price=7.25, discount=None)
    sales.land("birch/2026-01-06.jsonl", line(), more, header=line(order="0", quantity=3))
    sales.product = replace(sales.product, max_rejected_ratio=0.5)
    assert set(sales.run_all().values()) == {"success"}
    assert sales.counted() == (6, 4, 2, 0)
    reasons = sales.query("SELECT r.column, r.rule FROM quarantine.sales, UNNEST(reasons) AS r ORDER BY 1, 2")
    assert reasons == [("", "discount_within_price"), ("quantity", "minimum")]

    # A second file of the day corrects a line and knows a column more; an old sale comes late.
    again = line(order="2", unit_price=7.50, reported_at="2026-01-06T20:00:00-05:00", channel="app")
    sales.land(
        "birch/2026-01-06-evening.jsonl", again, header=line(order="9", sold_at="2026-01-02T23:00:00-05:00")
    )
    assert set(sales.run_all().values()) == {"success"}
    assert sales.query("SELECT order_id, channel FROM silver.sales WHERE channel IS NOT NULL") == [
        ("2", "app")
    ]
    assert sales.query("SELECT seller_id, order_date, net_sales FROM gold.seller_daily ORDER BY 1, 2") == [
        ("acorn", date(2026, 1, 5), Decimal("19.00")),
        ("birch", date(2026, 1, 2), Decimal("5.00")),
        ("birch", date(2026, 1, 5), Decimal("27.50")),
    ]
    assert sales.query("SELECT seller_id, sales_rank, orders FROM gold.seller_ranking ORDER BY 2") == [
        ("birch", 1, 4),
        ("acorn", 2, 1),
    ]
    assert sales.path("gs://local-reports/sales/index.html").read_text().startswith("<!doctype html>")


def test_bike_stations_go_from_their_database_to_their_history(
    products: Products, database_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = f"{mariadb.USER}:{mariadb.PASSWORD}@127.0.0.1:{database_port}/{mariadb.DATABASE}"
    monkeypatch.setenv("AIRFLOW_CONN_BIKE_DATABASE", f"mysql://{login}")
    stations = products("bike_stations")
    noon = datetime(2026, 1, 10, 17, tzinfo=UTC)
    assert set(stations.run_all(noon).values()) == {"success"}
    assert stations.counted() == (40, 40, 0, 0)
    assert stations.run_all(noon) == {"extract": "success", "discover": "skipped"}

    known = {"host": "127.0.0.1", "port": database_port, "user": mariadb.USER, "password": mariadb.PASSWORD}
    change = "UPDATE stations SET docks = 99, updated_at = '2026-01-10 16:30' WHERE station_id = 7"
    with pymysql.connect(**known, database=mariadb.DATABASE, autocommit=True) as opened:
        opened.cursor().execute(change)
    assert set(stations.run_all(noon).values()) == {"success"}
    history = stations.query(
        "SELECT docks, is_current, valid_to IS NULL FROM gold.station_history"
        " WHERE station_id = 7 ORDER BY valid_from"
    )
    assert history == [(34, False, False), (99, True, True)]
    assert stations.query("SELECT SUM(stations), SUM(docks) FROM gold.district_capacity") == [
        (40, sum(10 + number * 7 % 25 for number in range(1, 41)) + 65)
    ]


DOCS = Path(__file__).parents[3] / "docs" / "adding_a_data_product.md"
FILE = re.compile(r"^`((?:conf|sql|tests)/\S+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINES = re.compile(r"^```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(tmp_path: Path) -> tuple[Path, list[str]]:
    """A configuration in which nothing is but the files that the docs show, and the lines of their CSV."""
    shutil.copytree(SQL, tmp_path / "sql", ignore=shutil.ignore_patterns("gold"))
    (tmp_path / "conf").mkdir()
    shutil.copy(CONF / "product.schema.json", tmp_path / "conf")
    page = DOCS.read_text()
    files = FILE.findall(page)
    assert len(files) == 5
    for name, block in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block)
    (lines,) = LINES.findall(page)
    return tmp_path, lines.splitlines()


def test_a_new_product_is_what_the_docs_say_and_nothing_else(
    products: Products,
    example: tuple[Path, list[str]],
    mails: Mails,
    warehouse: bigquery.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, (header, *lines) = example
    conf, sql = folder / "conf", folder / "sql"
    monkeypatch.setattr("pipeline.discover.load_contract", partial(load_contract, conf=conf))
    monkeypatch.setattr("pipeline.discover.gold_definition", partial(gold_definition, folder=sql))
    monkeypatch.setattr("pipeline.gold.refresh_script", partial(refresh_script, folder=sql))
    visits = products("sales")
    visits.product = load_product("visits", conf)
    assert list(product_problems(visits.product, conf, sql)) == []
    contract = parse_contract(load_contract("visits", conf), "visits.yaml")
    assert list(contract_problems(visits.product, contract)) == []
    visits.land("2026-01-05.csv", *lines, header=header)
    assert set(visits.run_all().values()) == {"success"}
    assert visits.counted() == (3, 2, 1, 0)
    assert visits.query("SELECT visit_date, agents, visitors FROM gold.visits_daily") == [
        (date(2026, 1, 5), 1, 108)
    ]
    assert visits.query("SELECT raw FROM quarantine.visits") == [("331,2026-01-05 10:00,-1",)]
    assert [mail["Subject"] for mail in mails()] == ["visits: crowd"]
    (table,) = visits.product.gold
    select = gold_definition(table, visits.environment, build="", folder=sql).select
    told = (folder / "tests" / "sql" / "gold" / f"{table.table}.yaml").read_text()
    require_expected(warehouse, select, yaml.safe_load(told))
