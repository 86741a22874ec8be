"""The whole sample through the real DAGs: figures known to the cent, and a model that is worth its name."""

from decimal import Decimal
from typing import Any

import pytest

from tests.end_to_end.conftest import Laptop

TABLES_BY_ORDER = ("daily_sales", "customer_daily", "peak_hours", "agent_performance")
SELECTS = {
    "segments": """
        SELECT CAST(SUM(monetary) AS STRING) AS net_sales, SUM(frequency) AS orders,
          COUNT(DISTINCT customer_id) AS customers, MAX(monetary_score) AS best
        FROM gold.customer_segments""",
    "shares": """
        SELECT COUNT(*) AS dates, MIN(whole) AS least, MAX(whole) AS most
        FROM (
          SELECT ROUND(SUM(share_of_day), 9) AS whole FROM gold.agent_performance GROUP BY order_date
        )""",
    "features": """
        SELECT CAST(SUM(sales_90) AS STRING) AS net_sales, SUM(orders_90) AS orders
        FROM gold.customer_features WHERE snapshot_date = DATE '2017-12-31'""",
    "last_90_days": """
        SELECT CAST(SUM(net_sales) AS STRING) AS net_sales, COUNT(DISTINCT order_id) AS orders
        FROM silver.customer_transactions WHERE order_date > DATE '2017-10-02'""",
    "scores": """
        SELECT COUNT(*) AS n, COUNT(DISTINCT customer_id) AS customers, MIN(model_version) AS version,
          MIN(p_inactive_30d) >= 0 AND MAX(p_inactive_30d) <= 1 AS sound
        FROM gold.customer_scores""",
    "eligible": """
        SELECT COUNT(*) AS n FROM gold.customer_features WHERE snapshot_date = DATE '2017-12-31'""",
}


@pytest.fixture(scope="module")
def summary(laptop: Laptop) -> dict[str, Any]:
    return laptop.run()


@pytest.fixture(scope="module")
def tables(summary: dict[str, Any], laptop: Laptop) -> dict[str, Any]:
    by_order = "SELECT CAST(SUM(net_sales) AS STRING) AS net_sales, SUM(orders) AS orders FROM gold.{}"
    return laptop.rows({table: by_order.format(table) for table in TABLES_BY_ORDER} | SELECTS)


def test_silver_holds_the_year_to_the_cent(summary: dict[str, Any]) -> None:
    figures = summary["figures"]
    assert figures["lines"] == 1_469_307
    assert Decimal(figures["net_sales"]) == Decimal("4596039.58")
    assert figures["orders"] == 155_848
    assert figures["customers"] == 2_469
    assert figures["agents"] == 457
    assert figures["business_dates"] == 364
    assert Decimal(figures["average_order_value"]) == Decimal("29.490527")


def test_every_row_of_every_file_is_accounted_for(summary: dict[str, Any]) -> None:
    assert len(summary["files"]) == 365
    for file in summary["files"]:
        assert file["rows_read"] == file["rows_valid"] + file["rows_rejected"] + file["rows_duplicate"]
    assert summary["rows"] == {"read": 1_469_307, "valid": 1_469_307, "rejected": 0, "duplicate": 0}


def test_gold_agrees_with_silver(tables: dict[str, Any]) -> None:
    for table in TABLES_BY_ORDER:
        assert Decimal(tables[table]["net_sales"]) == Decimal("4596039.58"), table
        assert tables[table]["orders"] == 155_848, table


def test_segments_agree_with_silver(tables: dict[str, Any]) -> None:
    segments = tables["segments"]
    assert Decimal(segments["net_sales"]) == Decimal("4596039.58")
    assert (segments["orders"], segments["customers"], segments["best"]) == (155_848, 2_469, 5)


def test_an_agents_shares_of_a_day_add_up_to_one(tables: dict[str, Any]) -> None:
    assert tables["shares"] == {"dates": 364, "least": 1, "most": 1}


def test_features_of_the_newest_snapshot_agree_with_silver(tables: dict[str, Any]) -> None:
    assert tables["features"] == tables["last_90_days"]


def test_the_model_passes_its_gate_and_scores_every_eligible_customer(
    summary: dict[str, Any], tables: dict[str, Any]
) -> None:
    assert summary["model"]["auc"] >= 0.835
    assert tables["scores"] == {
        "n": tables["eligible"]["n"],
        "customers": tables["eligible"]["n"],
        "version": summary["model"]["version"],
        "sound": True,
    }


def test_each_job_is_submitted_once(summary: dict[str, Any], laptop: Laptop) -> None:
    lines = (laptop.local / "dataproc" / "submissions.jsonl").read_text().splitlines()
    submitted = [line for line in lines if '"state": "PENDING"' in line]
    assert len(submitted) == 4  # clean, train, evaluate, score


def test_the_report_page_is_written(summary: dict[str, Any], laptop: Laptop) -> None:
    page = (laptop.local / "run" / "report.html").read_text()
    assert "$4,596,040" in page or "4,596,039.58" in page
