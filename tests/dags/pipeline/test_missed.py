"""Periods of an API that no run fell on, or none could pull: the next run does, or tells of them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from airflow.exceptions import AirflowFailException

from local.open_meteo import OpenMeteo
from medallion.alerts import Audience
from medallion.products import Schedule, load_product
from medallion.sources import HttpSource, Pages
from pipeline import http_source, missed
from pipeline.bronze import Bronze, bronze_of
from pipeline.extract import pull_source
from pipeline.http_source import NotNowError
from pipeline.missed import due_periods
from tests.dags.pipeline.channels import Channel, Mails, text
from tests.dags.pipeline.incidents import NOTED, TEAM, fail, run_on, subjects, work
from tests.dags.pipeline.orders import Pipeline

PLACES = {
    "berlin": {"latitude": 52.52, "longitude": 13.41},
    "lima": {"latitude": -12.05, "longitude": -77.04},
}
DAY = {"hourly": "temperature_2m", "start_date": "{period}", "end_date": "{period}"}
SOURCE = HttpSource("weather_api", "/v1/forecast", query=DAY, label="city", parts=PLACES)


@pytest.fixture
def weather(pipeline: Pipeline, api: OpenMeteo, waits: list[float], mails: Mails) -> Pipeline:
    """A product that pulls two cities a day, whose team is told."""
    schedule = Schedule("0 11 * * *", "UTC")
    pipeline.product = replace(pipeline.product, source=SOURCE, schedule=schedule, notify_failure=TEAM)
    return pipeline


def bronze(weather: Pipeline) -> Bronze:
    return bronze_of(weather.product, weather.environment)


def pull(weather: Pipeline, day: str) -> int:
    """extract, in the run of a day; returns how many objects it made."""
    source = weather.product.source
    assert isinstance(source, HttpSource)
    return pull_source(weather.product, source, weather.environment, run_on(day))


def asked(api: OpenMeteo) -> list[str]:
    """The day of each request."""
    return [query["start_date"][0] for query in api.asked]


def test_days_that_no_run_fell_on_are_pulled_the_oldest_first(weather: Pipeline, api: OpenMeteo) -> None:
    assert pull(weather, "2026-01-29") == 2
    assert pull(weather, "2026-02-01") == 6
    days = ("2026-01-29", "2026-01-30", "2026-01-31", "2026-02-01")
    assert asked(api) == [day for day in days for _ in PLACES]
    assert bronze(weather).names() == {f"city={city}/period={day}/1.json" for city in PLACES for day in days}
    assert pull(weather, "2026-02-01") == 0
    assert len(api.asked) == 8


def test_a_part_that_is_new_begins_with_the_day_of_its_run(weather: Pipeline, api: OpenMeteo) -> None:
    weather.product = replace(weather.product, source=replace(SOURCE, parts={"lima": PLACES["lima"]}))
    pull(weather, "2026-01-29")
    weather.product = replace(weather.product, source=SOURCE)
    assert pull(weather, "2026-01-31") == 3
    assert [name for name in bronze(weather).names() if "berlin" in name] == [
        "city=berlin/period=2026-01-31/1.json"
    ]


def test_a_day_that_was_pulled_in_part_is_completed(weather: Pipeline, api: OpenMeteo) -> None:
    source = replace(
        SOURCE, label=None, parts={}, query={**DAY, **PLACES["lima"]}, pages=Pages("next", "page")
    )
    weather.product = replace(weather.product, source=source)
    bronze(weather).create("period=2026-01-29/1.json", b'{"next": "b"}', "application/json")
    assert pull(weather, "2026-01-30") == 2
    assert [(query["start_date"], query.get("page")) for query in api.asked] == [
        (["2026-01-29"], ["b"]),
        (["2026-01-30"], None),
    ]


def test_a_fault_that_lasts_stops_before_later_days_and_the_next_run_goes_on(
    weather: Pipeline, api: OpenMeteo
) -> None:
    pull(weather, "2026-01-29")
    api.faults.extend(["", *["503"] * http_source.ATTEMPTS])  # the second city of the 30th
    with pytest.raises(NotNowError):
        pull(weather, "2026-01-31")
    assert not [name for name in bronze(weather).names() if "2026-01-31" in name]
    fail(weather, "2026-01-31", "extract", NotNowError("no answer"))
    assert pull(weather, "2026-02-01") == 5
    assert [closed for *_, closed in weather.query(NOTED)] == [True]


def test_a_day_that_the_api_has_no_more_is_told_and_stops_no_other(
    weather: Pipeline, api: OpenMeteo, mails: Mails
) -> None:
    name = weather.product.name
    pull(weather, "2026-01-28")
    api.faults.extend(["404", "404", "410"])  # both cities of the 29th, and one of the 30th
    assert pull(weather, "2026-01-31") == 3
    assert [(incident, closed) for incident, _, _, closed in weather.query(NOTED)] == [
        ("failure.extract of 2026-01-29", False),
        ("failure.extract of 2026-01-30", False),
    ]
    assert subjects(mails) == [f"{name}: extract of 2026-01-29 failed"]
    command = f"airflow dags trigger --logical-date 2026-01-29T11:00:01+00:00 {name}"
    assert f"Next: {command}" in text(mails()[0])
    assert pull(weather, "2026-02-01") == 2

    assert pull(weather, "2026-01-29") == 2  # a run of that day
    work(weather, "all_clear", run_on("2026-01-29", found={"run": "r"}))
    assert [closed for *_, closed in weather.query(NOTED)] == [True, False]


def test_a_day_that_nobody_can_be_told_of_keeps_no_other_from_being_pulled(
    weather: Pipeline, api: OpenMeteo, slack: Channel
) -> None:
    weather.product = replace(weather.product, notify_failure=Audience(slack="team_channel"))
    pull(weather, "2026-01-28")
    api.faults.extend(["404", "404"])
    slack.status = 500
    assert pull(weather, "2026-01-30") == 2
    assert weather.query(NOTED) == [("failure.extract of 2026-01-29", None, None, False)]

    slack.status = 200
    fail(weather, "2026-01-30", "extract", NotNowError("no answer"))
    slack.status = 500
    assert pull(weather, "2026-01-31") == 2
    assert [(incident, closed) for incident, _, _, closed in weather.query(NOTED)] == [
        ("failure.extract of 2026-01-29", False),
        ("failure.extract of 2026-01-30", True),
    ]


def test_where_nobody_is_let_in_no_other_day_is_asked_for(weather: Pipeline, api: OpenMeteo) -> None:
    pull(weather, "2026-01-28")
    api.faults.append("401")
    with pytest.raises(AirflowFailException, match="got 401"):
        pull(weather, "2026-01-31")
    assert len(api.asked) == 3
    assert weather.query(NOTED) == []


def test_days_beyond_those_that_a_run_makes_up_for_are_told(
    weather: Pipeline, api: OpenMeteo, mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "MOST", 2)
    pull(weather, "2026-01-23")
    assert pull(weather, "2026-01-26") == 6
    assert mails() == []
    assert pull(weather, "2026-01-31") == 6
    assert asked(api)[8:] == [day for day in ("2026-01-29", "2026-01-30", "2026-01-31") for _ in PLACES]
    assert subjects(mails) == [f"{weather.product.name}: extract of 2026-01-28 failed"]
    assert "Nothing from 2026-01-26 to 2026-01-28 was asked for" in text(mails()[0])
    assert pull(weather, "2026-01-28") == 4  # with the 27th


@pytest.mark.parametrize(
    ("cron", "period", "since", "until", "due"),
    [
        ("0 5 * * 1-5", "day", "2026-01-29", "2026-02-02T10:00", ["2026-01-29", "2026-01-30"]),
        ("0 */6 * * *", "day", "2026-01-29", "2026-01-30T17:00", ["2026-01-29"]),
        # Clocks go back at 06:00 UTC, and show 01:00 twice.
        (
            *("0 * * * *", "hour", "2026-11-01T04", "2026-11-01T08:00"),
            ["2026-11-01T04", "2026-11-01T05", "2026-11-01T06", "2026-11-01T07"],
        ),
        (None, "day", "2026-01-29", "2026-02-02T10:00", ["2026-01-29"]),
    ],
)
def test_due_is_what_the_schedule_asks_for(
    cron: str | None, period: str, since: str, until: str, due: list[str]
) -> None:
    schedule = Schedule(cron, "America/New_York") if cron else None
    product = replace(load_product("weather"), schedule=schedule)
    moment = datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert list(due_periods(product, replace(SOURCE, period=period), since, moment)) == due
