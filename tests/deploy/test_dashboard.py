"""The URLs at which a product's gold is looked at."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from deploy.dashboard import looker_studio, main
from medallion.products import load_product
from tests.deploy.conftest import DEV

WEATHER = load_product("weather")


def test_a_url_opens_a_copy_of_a_report_on_the_gold_tables() -> None:
    product = replace(WEATHER, gold=WEATHER.gold[:1])
    assert looker_studio(product, DEV, "8a6517b8-8fcd") == (
        "https://lookerstudio.google.com/reporting/create?c.reportId=8a6517b8-8fcd&c.mode=view"
        "&r.reportName=weather%20%28dev%29"
        "&ds.weather_daily.connector=bigQuery"
        "&ds.weather_daily.datasourceName=weather_daily"
        "&ds.weather_daily.type=TABLE"
        "&ds.weather_daily.projectId=customer-data-dev"
        "&ds.weather_daily.datasetId=gold"
        "&ds.weather_daily.tableId=weather_daily"
        "&ds.weather_daily.billingProjectId=customer-data-dev"
    )


def test_whatever_a_value_holds_stays_one_parameter() -> None:
    told = dict(parse_qsl(urlsplit(looker_studio(WEATHER, replace(DEV, name="a&b=c d/é"), "x&y")).query))
    assert told["r.reportName"] == "weather (a&b=c d/é)"
    assert told["c.reportId"] == "x&y"
    assert len(told) == 3 + 7 * len(WEATHER.gold)


def test_without_a_report_a_blank_one_is_opened_to_be_edited() -> None:
    told = dict(parse_qsl(urlsplit(looker_studio(WEATHER, DEV)).query))
    assert told["c.mode"] == "edit"
    assert "c.reportId" not in told


def test_the_command_tells_the_report_page_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sales", "dev"]) == 0
    page, studio = capsys.readouterr().out.splitlines()
    assert page == "Report page: https://storage.cloud.google.com/customer-data-dev-reports/sales/index.html"
    assert studio.startswith("Looker Studio: https://lookerstudio.google.com/reporting/create?c.mode=edit&")
    assert main(["nothing", "dev"]) == 1
    assert "conf/products/nothing.yaml" in capsys.readouterr().err
