"""A row's passport tells every version of it, what was rejected under its key, and what it became part of."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from local.cloud import Cloud
from local.explain import passport
from medallion.errors import MedallionError
from tests.dags.pipeline.conftest import Define
from tests.dags.pipeline.orders import Pipeline

DAY = 86_400


@pytest.fixture
def cloud(pipeline: Pipeline, bigquery_url: str, gcs_url: str, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setattr("local.explain.load_contract", lambda _: pipeline.contract)
    ports = {"bigquery": urlsplit(bigquery_url).port or 0, "gcs": urlsplit(gcs_url).port or 0}
    return Cloud(pipeline.environment, ports)


def test_a_passport_tells_where_a_row_came_from_and_went(
    pipeline: Pipeline, define: Define, cloud: Cloud
) -> None:
    first = pipeline.run("12,0,10", "12,5,11", "7,0,12", name="a.csv")["run"]
    found = pipeline.run(f"12,{DAY},20", "12,6,-1", "112,0,-13", name="b.csv")
    pipeline.refresh(found)
    told = dict(passport(cloud, pipeline.product, "12"))

    versions = told["Versions of the row, newest first"]
    assert [(version["shown"], version["run"]) for version in versions] == [
        (True, found["run"]),
        (False, first),
        (False, first),
    ]
    assert versions[0]["partition_date"] == date(2017, 1, 3)
    assert versions[0]["source_file"].endswith("/b.csv")
    assert {version["contract_version"] for version in versions} == {"1.0.0"}

    (rejected,) = told["Rejected rows that name the key"]
    assert rejected["reasons"] == "amount: minimum, got -1"

    (fed,) = told[f"Part of gold.{pipeline.product.name}"]
    assert fed == {"order_date": date(2017, 1, 3), "orders": 1, "amount": 20}


def test_a_row_that_was_only_rejected_has_a_passport(pipeline: Pipeline, cloud: Cloud) -> None:
    pipeline.run("1,0,7", "2,0,-1")
    told = dict(passport(cloud, pipeline.product, "2"))
    assert told["Versions of the row, newest first"] == []
    assert [row["reasons"] for row in told["Rejected rows that name the key"]] == ["amount: minimum, got -1"]


def test_a_key_that_no_row_has_is_told(pipeline: Pipeline, cloud: Cloud) -> None:
    pipeline.run("1,0,7")
    with pytest.raises(MedallionError, match="expected a row whose order_id is 2, got none, neither valid"):
        list(passport(cloud, pipeline.product, "2"))


def test_a_key_of_another_shape_is_told(pipeline: Pipeline, cloud: Cloud) -> None:
    with pytest.raises(
        MedallionError, match="KEY: expected values of order_id, with commas between, got '2,3'"
    ):
        list(passport(cloud, pipeline.product, "2,3"))
