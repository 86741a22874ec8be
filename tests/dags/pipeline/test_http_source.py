"""Answers of an API in bronze: each once, as it is, and politely asked for."""

import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from local.open_meteo import Handler, OpenMeteo
from medallion.sources import HttpSource, Pages
from pipeline import http_source
from pipeline.bronze import Bronze
from pipeline.http_source import NotNowError, pull_answers

PLACES = {
    "berlin": {"latitude": 52.52, "longitude": 13.41},
    "lima": {"latitude": -12.05, "longitude": -77.04},
}
DAY = {"hourly": "temperature_2m", "start_date": "{period}", "end_date": "{period}"}
SOURCE = HttpSource("weather_api", "/v1/forecast", query=DAY, label="city", parts=PLACES)


def test_each_part_has_its_answer_as_it_came(api: OpenMeteo, bronze: Bronze) -> None:
    assert pull_answers(SOURCE, "2026-01-31", bronze) == 2
    assert bronze.names() == {
        "city=berlin/period=2026-01-31/1.json",
        "city=lima/period=2026-01-31/1.json",
    }
    answer = bronze.read("city=lima/period=2026-01-31/1.json")
    assert answer.startswith(b'{"latitude":-12.0,"longitude":-77.0,"generationtime_ms":0.061,')
    assert json.loads(answer)["hourly"]["time"][0] == "2026-01-31T00:00"
    assert api.asked[0] == {
        **{"hourly": ["temperature_2m"], "start_date": ["2026-01-31"], "end_date": ["2026-01-31"]},
        **{"latitude": ["52.52"], "longitude": ["13.41"]},
    }


def test_what_is_there_is_not_asked_for_again(api: OpenMeteo, bronze: Bronze) -> None:
    pull_answers(replace(SOURCE, parts={"berlin": PLACES["berlin"]}), "2026-01-31", bronze)
    assert pull_answers(SOURCE, "2026-01-31", bronze) == 1
    assert pull_answers(SOURCE, "2026-01-31", bronze) == 0
    assert len(api.asked) == 2
    assert pull_answers(SOURCE, "2026-02-01", bronze) == 2


@pytest.mark.parametrize("fault", ["500", "503", "malformed"])
def test_a_passing_fault_is_waited_out_ever_longer(
    api: OpenMeteo, bronze: Bronze, waits: list[float], fault: str
) -> None:
    api.faults.extend([fault] * 3)
    assert pull_answers(SOURCE, "2026-01-31", bronze) == 2
    assert len(waits) == 3
    assert 1 <= waits[0] < 2 < waits[1] + 1 < waits[2] + 1
    assert len(api.asked) == 5


def test_the_api_says_how_long_to_wait(api: OpenMeteo, bronze: Bronze, waits: list[float]) -> None:
    api.faults.extend(["429", "429"])
    pull_answers(SOURCE, "2026-01-31", bronze)
    assert waits == [1.0, 1.0]


def test_no_answer_in_time_is_a_passing_fault(
    api: OpenMeteo, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "TIMEOUT", (1, 0.2))
    monkeypatch.setattr("local.open_meteo.SLOW_SECONDS", 0.4)
    monkeypatch.setattr(http_source, "_back_off", lambda state: 0)
    api.faults.append("slow")
    assert pull_answers(SOURCE, "2026-01-31", bronze) == 2
    assert len(api.asked) == 3


def test_a_fault_that_lasts_keeps_nothing_bad_and_is_left_to_airflow(
    api: OpenMeteo, bronze: Bronze, waits: list[float]
) -> None:
    api.faults.extend(["malformed"] * http_source.ATTEMPTS)
    with pytest.raises(NotNowError, match=r"expected 200 and JSON, got 200 and \d+ bytes that are none"):
        pull_answers(SOURCE, "2026-01-31", bronze)
    assert bronze.names() == set()


def test_a_long_wait_is_left_to_airflow(
    api: OpenMeteo, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "LONGEST_WAIT", 0.5)
    api.faults.append("429")
    with pytest.raises(AirflowException, match="got 429, to come back in 1 s"):
        pull_answers(SOURCE, "2026-01-31", bronze)
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"query": {"hourly": "humour"}}, "got 400: .*'start_date' is missing"),
        ({"path": "/v2/forecast"}, "got 404: .*Not Found"),
    ],
)
def test_a_wrong_request_fails_at_once_and_says_why(
    api: OpenMeteo, bronze: Bronze, changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(AirflowFailException, match=told):
        pull_answers(replace(SOURCE, **changed), "2026-01-31", bronze)
    assert len(api.asked) == 1


def test_requests_keep_to_the_rate(api: OpenMeteo, bronze: Bronze, waits: list[float]) -> None:
    pull_answers(replace(SOURCE, max_per_minute=120), "2026-01-31", bronze)
    assert waits == [0.5, 0.5]


def test_an_error_names_no_secret(api: OpenMeteo, bronze: Bronze) -> None:
    api.faults.append("401")
    with pytest.raises(AirflowFailException) as error:
        pull_answers(SOURCE, "2026-01-31", bronze)
    assert "secret" not in str(error.value)
    assert "got 401" in str(error.value)


class Paged(Handler):
    """Three pages, of which each names the next."""

    pages: ClassVar[dict[str, str | None]] = {"": "b", "b": "c", "c": None}

    def do_GET(self) -> None:  # noqa: N802
        page = self.path.partition("page=")[2]
        self.server.asked.append({"page": [page]})
        self._answer(200, {"meta": {"next": self.pages[page]}, "items": [page]})


@pytest.fixture
def paged(api: OpenMeteo, monkeypatch: pytest.MonkeyPatch) -> OpenMeteo:
    monkeypatch.setattr(api, "RequestHandlerClass", Paged)
    return api


PAGED = HttpSource("weather_api", "/items", pages=Pages("meta.next", "page"))


def test_pages_are_followed_to_the_last(paged: OpenMeteo, bronze: Bronze) -> None:
    assert pull_answers(PAGED, "2026-01-31", bronze) == 3
    assert bronze.names() == {f"period=2026-01-31/{page}.json" for page in (1, 2, 3)}
    assert json.loads(bronze.read("period=2026-01-31/3.json"))["items"] == ["c"]


def test_pages_go_on_where_another_try_stopped(paged: OpenMeteo, bronze: Bronze) -> None:
    first = json.dumps({"meta": {"next": "b"}, "items": [""]}).encode()
    assert bronze.create("period=2026-01-31/1.json", first, "application/json")
    assert pull_answers(PAGED, "2026-01-31", bronze) == 2
    assert paged.asked == [{"page": ["b"]}, {"page": ["c"]}]
    assert not bronze.create("period=2026-01-31/1.json", b"{}", "application/json")
    assert bronze.read("period=2026-01-31/1.json") == first


def test_pages_may_name_urls_of_their_host_only(
    paged: OpenMeteo, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = replace(PAGED, pages=Pages("meta.next"))
    monkeypatch.setattr(Paged, "pages", {"": "/items?page=b", "b": None})
    assert pull_answers(urls, "2026-01-31", bronze) == 2
    monkeypatch.setattr(Paged, "pages", {"": "http://elsewhere.example/items"})
    with pytest.raises(
        AirflowFailException, match=r"expected the next page on the same host, got http://else"
    ):
        pull_answers(urls, "2026-02-01", bronze)


def test_pages_in_a_circle_are_told(
    paged: OpenMeteo, bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paged, "pages", {"": "b", "b": "c", "c": "b"})
    with pytest.raises(AirflowFailException, match="page 3 leads back to 'b'"):
        pull_answers(PAGED, "2026-01-31", bronze)
