"""Alerts lead to the runbook, and what they measure is what the platform says."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from medallion.documents import ROOT
from medallion.products import load_product
from pipeline import audit
from tests.infra.conftest import Resources, of

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def policies(resources: Resources) -> dict[str, dict]:
    return of(resources, "google_monitoring_alert_policy")


def test_every_alert_leads_to_a_part_of_the_runbook(dev: Resources) -> None:
    headings = HEADING.findall((ROOT / "docs/operations.md").read_text())
    anchors = {re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    told = {name: item["documentation"]["content"].partition("#")[2] for name, item in policies(dev).items()}
    assert len(told) > 6
    assert {name: anchor for name, anchor in told.items() if anchor not in anchors} == {}


def test_a_window_is_no_longer_than_monitoring_looks_back(dev: Resources) -> None:
    conditions = [item["conditions"]["condition_threshold"] for item in policies(dev).values()]
    seconds = [
        int(condition["aggregations"]["alignment_period"][:-1]) + int(condition["duration"][:-1])
        for condition in conditions
    ]
    assert max(seconds) == 25 * 3600


def test_what_is_told_of_missing_data_lasts_a_minute(dev: Resources) -> None:
    conditions = [item["conditions"]["condition_threshold"] for item in policies(dev).values()]
    lasting = {bool(item.get("evaluation_missing_data")): item["duration"] for item in conditions}
    assert lasting == {True: "60s", False: "0s"}


def test_the_dashboard_shows_what_the_alerts_watch(dev: Resources) -> None:
    dashboard = json.loads(dev["google_monitoring_dashboard.platform"]["values"]["dashboard_json"])
    tiles = dashboard["mosaicLayout"]["tiles"]
    filters = [
        tile["widget"]["xyChart"]["dataSets"][0]["timeSeriesQuery"]["timeSeriesFilter"]["filter"]
        for tile in tiles
    ]
    kinds = {re.search(r'metric\.type="([^"]+)"', text)[1] for text in filters}  # type: ignore[index]
    watched = {
        re.search(r'metric\.type="([^"]+)"', item["conditions"]["condition_threshold"]["filter"])[1]  # type: ignore[index]
        for item in policies(dev).values()
    }
    assert watched - kinds == {"composer.googleapis.com/environment/database_health"}
    places = {(tile.get("xPos", 0), tile.get("yPos", 0)) for tile in tiles}
    assert len(places) == len(tiles) == 6


def test_the_dashboard_says_nothing_that_monitoring_leaves_out(dev: Resources) -> None:
    """Zero and empty values are no part of its answer, so that a plan would always find a difference."""

    def values(item: Any) -> Iterator[Any]:
        yield item
        for part in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            yield from values(part)

    dashboard = json.loads(dev["google_monitoring_dashboard.platform"]["values"]["dashboard_json"])
    found = list(values(dashboard))
    assert len(found) > 100
    assert [value for value in found if not value] == []


def test_the_metric_reads_what_the_audit_logs(
    dev: Resources, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "metrics_of", lambda context: {"rows": {"read": 400, "rejected": 6}})
    with caplog.at_level(logging.INFO, audit.__name__):
        audit.tell_rejected_ratio(load_product("customer_transactions"), {})  # type: ignore[arg-type]
    (line,) = caplog.messages
    metric = dev["google_logging_metric.rejected_ratio"]["values"]
    filtered = re.search(r'textPayload=~"(.+)"$', metric["filter"])
    value = re.search(r'REGEXP_EXTRACT\(textPayload, "(.+)"\)', metric["value_extractor"])
    product = re.search(r'REGEXP_EXTRACT\(textPayload, "(.+)"\)', metric["label_extractors"]["product"])
    assert filtered and value and product
    assert re.search(filtered[1], line)
    assert float(re.search(value[1], line)[1]) == 0.015  # type: ignore[index]
    assert re.search(product[1], line)[1] == "customer_transactions"  # type: ignore[index]


def test_a_run_that_read_nothing_rejected_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "metrics_of", lambda context: {"rows": {"read": 0, "rejected": 0}})
    with caplog.at_level(logging.INFO, audit.__name__):
        audit.tell_rejected_ratio(load_product("customer_transactions"), {})  # type: ignore[arg-type]
    assert caplog.messages == ["product=customer_transactions step=audit rejected_ratio=0.000000"]
