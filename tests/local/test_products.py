"""A product file that is broken stops nothing but its own product."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import arrivals, products, status, up
from local.products import products_that_load
from medallion.products import product_names
from tests.conftest import edit

SOUND = ["bike_stations", "customer_transactions", "weather"]
BROKEN = "conf/products/typo.yaml: the file: expected a file, got 'no such file'."


@pytest.fixture
def typo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product whose file can't be read stands before all others."""
    monkeypatch.setattr(products, "product_names", lambda conf: ("typo", *SOUND))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"owner": 1}, "products/sales.yaml: owner: expected "),
        ({"schedule": {"cron": "never", "timezone": "UTC"}}, "products/sales.yaml: schedule.cron: expected "),
    ],
)
def test_the_others_are_found_and_it_is_told(conf: Path, changes: dict[str, Any], told: str) -> None:
    edit(conf / "products" / "sales.yaml", **changes)
    said: list[str] = []
    others = [name for name in product_names() if name != "sales"]
    assert [product.name for product in products_that_load(said.append, conf)] == others
    (line,) = said
    assert told in line


def test_the_cloud_starts_for_the_others(
    typo: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def start(*_: Any, sources: list[str], **__: Any) -> Any:
        asked.extend(sources)
        return SimpleNamespace(save=lambda: None, airflow_url="http://localhost:8080")

    monkeypatch.setattr(up, "start_over", lambda keep: SimpleNamespace(stop=lambda: None))
    monkeypatch.setattr(up, "without_missing", lambda names, tell: names)
    monkeypatch.setattr(up, "start", start)
    assert up.main(["up"]) == 0
    assert {"open_meteo", "bike_database", "pubsub"} <= set(asked)
    assert BROKEN in capsys.readouterr().out


def test_the_others_hear_of_their_files(typo: None) -> None:
    assert {product.name for product in arrivals.products_on_arrival()} <= set(SOUND)


def test_the_status_of_the_others_is_told(
    typo: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def read_status(cloud: Any, found: list[Any], now: Any) -> dict[str, Any]:
        asked.extend(product.name for product in found)
        return {"products": [], "runs": [], "rejected": [], "incidents": []}

    monkeypatch.setattr(status, "on_kept_data", lambda tell: tell(None))
    monkeypatch.setattr(status, "running_cloud", lambda: None)
    monkeypatch.setattr(status, "read_status", read_status)
    assert status.main([]) == 0
    assert asked == SOUND
    assert BROKEN in capsys.readouterr().out


def test_what_to_type_is_known_for_the_others(typo: None) -> None:
    told = status.next_command("failure.train", "airflow dags trigger customer_churn", None)
    assert told == "make run PRODUCT=customer_transactions KEEP=1"


def test_what_was_asked_for_is_to_be_asked_for_again() -> None:
    command = "airflow tasks clear --only-failed --downstream --yes --task-regex clean orders"
    told = status.next_command("failure.replay", command, None)
    assert told == "make replay PRODUCT=orders, with what it was given"
    told = status.next_command("failure.replay", command, "http://up")
    assert told == "clear the failed tasks of orders at http://up/dags/orders"


def test_a_period_that_was_missed_is_asked_for_by_its_date() -> None:
    command = "airflow dags trigger --logical-date 2026-01-29T11:00:01+00:00 weather"
    asked = "trigger weather with the logical date 2026-01-29T11:00:01+00:00"
    told = status.next_command("failure.extract of 2026-01-29", command, None)
    assert told == f"make up, then {asked} on Airflow's page"
    told = status.next_command("failure.extract of 2026-01-29", command, "http://up")
    assert told == f"{asked} at http://up/dags/weather"
