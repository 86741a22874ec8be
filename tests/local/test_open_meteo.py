"""The stand-in for Open-Meteo answers as the API does."""

from datetime import date

import pytest

from local.open_meteo import forecast

BERLIN = {
    "latitude": ["52.52"],
    "longitude": ["13.41"],
    "hourly": ["temperature_2m,precipitation,wind_speed_10m"],
    "start_date": ["2026-01-31"],
    "end_date": ["2026-02-01"],
}


def test_a_place_has_a_list_for_each_variable_with_a_value_for_each_hour() -> None:
    (place,) = forecast(BERLIN)
    assert place["hourly"]["time"][:2] == ["2026-01-31T00:00", "2026-01-31T01:00"]
    assert place["hourly"]["time"][-1] == "2026-02-01T23:00"
    assert {name: len(values) for name, values in place["hourly"].items()} == dict.fromkeys(
        ("time", "temperature_2m", "precipitation", "wind_speed_10m"), 48
    )
    assert list(place["hourly_units"]) == list(place["hourly"])


def test_several_places_are_a_list() -> None:
    places = forecast({**BERLIN, "latitude": ["52.52,1.35"], "longitude": ["13.41,103.82"]})
    assert [place["longitude"] for place in places] == [13.375, 103.875]


def test_july_is_warmer_than_january_and_singapore_than_berlin() -> None:
    def mean(latitude: str, day: date) -> float:
        days = {"start_date": [str(day)], "end_date": [str(day)]}
        (place,) = forecast({**BERLIN, **days, "latitude": [latitude]})
        return sum(place["hourly"]["temperature_2m"]) / 24

    assert mean("52.52", date(2026, 7, 15)) > mean("52.52", date(2026, 1, 15)) + 10
    assert mean("1.35", date(2026, 1, 15)) > mean("52.52", date(2026, 1, 15)) + 10


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"longitude": ["1,2"]}, "same number of elements"),
        ({"end_date": ["2026-01-01"]}, "End-date must be larger"),
        ({"hourly": ["humour"]}, "invalid String value humour"),
    ],
)
def test_a_query_that_is_wrong_is_told(changed: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        forecast({**BERLIN, **changed})


def test_a_parameter_that_is_missing_is_told() -> None:
    with pytest.raises(ValueError, match="'hourly' is missing"):
        forecast({name: value for name, value in BERLIN.items() if name != "hourly"})
