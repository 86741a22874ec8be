"""The weather API of the local cloud: answers like Open-Meteo's, and faults when it is told to."""

import argparse
import json
import math
import time
from collections import deque
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

UNITS = {"temperature_2m": "°C", "precipitation": "mm", "wind_speed_10m": "km/h"}
SLOW_SECONDS = 3
Query = dict[str, list[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    OpenMeteo(parser.parse_args().port).serve_forever()


class OpenMeteo(ThreadingHTTPServer):
    """The server. `faults` are what the next answers are instead (429, 500, slow or malformed; any status);
    `asked` are the queries of all requests. `PUT /faults` with a JSON list adds faults.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.faults: deque[str] = deque()
        self.asked: list[Query] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def forecast(query: Query) -> list[dict[str, Any]]:
    """The forecast of each place in a query, in the shape of https://open-meteo.com/en/docs.

    The same hours of a place are always the same. Raises ValueError with the API's reason for a query that
    it doesn't take.
    """
    latitudes, longitudes = (_numbers(query, name) for name in ("latitude", "longitude"))
    if len(latitudes) != len(longitudes):
        raise ValueError("Parameter 'latitude' and 'longitude' must have the same number of elements")
    first, last = (date.fromisoformat(_one(query, name)) for name in ("start_date", "end_date"))
    if last < first:
        raise ValueError("End-date must be larger or equals than start-date.")
    variables = _one(query, "hourly").split(",")
    unknown = [name for name in variables if name not in UNITS]
    if unknown:
        raise ValueError(f"Cannot initialize hourly from invalid String value {unknown[0]}.")
    midnight = datetime(first.year, first.month, first.day)
    hours = [midnight + timedelta(hours=hour) for hour in range(24 * ((last - first).days + 1))]
    return [_place(*place, hours, variables) for place in zip(latitudes, longitudes, strict=True)]


def _place(latitude: float, longitude: float, hours: list[datetime], variables: list[str]) -> dict[str, Any]:
    return {
        "latitude": round(latitude * 8) / 8,  # of the grid's nearest point
        "longitude": round(longitude * 8) / 8,
        "generationtime_ms": 0.061,
        "utc_offset_seconds": 0,
        "timezone": "GMT",
        "timezone_abbreviation": "GMT",
        "elevation": 38.0,
        "hourly_units": {"time": "iso8601", **{name: UNITS[name] for name in variables}},
        "hourly": {
            "time": [f"{hour:%Y-%m-%dT%H:%M}" for hour in hours],
            **{name: [_value(name, latitude, longitude, hour) for hour in hours] for name in variables},
        },
    }


def _value(name: str, latitude: float, longitude: float, hour: datetime) -> float:
    """Warmer towards the equator, in July and after noon; rain and wind come and go."""
    season = math.cos((hour.timetuple().tm_yday - 200) / 365 * 2 * math.pi)
    days = (hour - datetime(2000, 1, 1)).total_seconds() / 86_400
    turn = math.sin(days * 1.7 + latitude) + math.sin(days * 0.61 + longitude)
    match name:
        case "temperature_2m":
            daily = math.cos((hour.hour - 14 + longitude / 15) / 24 * 2 * math.pi)
            return round(30 - abs(latitude) * 0.45 + 11 * season + 4 * daily + turn, 1)
        case "precipitation":
            return round(max(0.0, turn - 1) * 2.5, 2)
        case _:
            return round(14 + 7 * turn, 1)


def _numbers(query: Query, name: str) -> list[float]:
    return [float(text) for text in _one(query, name).split(",")]


def _one(query: Query, name: str) -> str:
    if name not in query:
        raise ValueError(f"Value of required parameter '{name}' is missing")
    return query[name][-1]


class Handler(BaseHTTPRequestHandler):
    server: OpenMeteo

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        query = parse_qs(target.query)
        self.server.asked.append(query)
        fault = self.server.faults.popleft() if self.server.faults else ""
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        elif fault.isdigit():
            return self._answer(int(fault), {"error": True, "reason": f"A fault that was asked for: {fault}"})
        if target.path != "/v1/forecast":
            return self._answer(404, {"error": True, "reason": "Not Found"})
        try:
            places = forecast(query)
        except ValueError as error:
            return self._answer(400, {"error": True, "reason": str(error)})
        return self._answer(200, places[0] if len(places) == 1 else places, cut=fault == "malformed")

    def do_PUT(self) -> None:
        self.server.faults.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, {})

    def _answer(self, status: int, document: Any, cut: bool = False) -> None:
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        body = body[: len(body) // 2] if cut else body
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing: the requests are in `asked`."""


if __name__ == "__main__":
    main()
