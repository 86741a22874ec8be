"""sql/gold/customer_features.sql and sql/training/examples.sql on a BigQuery emulator."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from google.cloud import bigquery

from medallion.environments import load_environment
from medallion.snapshots import HORIZON_DAYS, WINDOW_DAYS
from medallion.sql import literal, render
from ml.features import FEATURES, LABEL

SNAPSHOT = date(2017, 6, 30)
# customer, age on the snapshot date (negative: after it), orders, items, net sales, discounts.
Visit = tuple[int, int, int, int, str, str]
VISITS: list[Visit] = [
    (1, 90, 1, 9, "900.00", "0.00"),  # Inside the 91 days, outside the windows of 90.
    (1, 60, 1, 4, "40.00", "0.00"),
    (1, 30, 2, 6, "20.10", "5.00"),
    (1, 5, 1, 2, "9.90", "2.50"),  # 2017-06-25, a Sunday.
    (1, -3, 1, 1, "7.00", "0.00"),
    (2, 0, 1, 1, "0.00", "0.00"),
    (2, -31, 1, 1, "5.00", "0.00"),
    (3, 90, 1, 1, "3.00", "0.00"),  # Not eligible: no order in the last 90 days.
]


@pytest.fixture
def gold(warehouse: bigquery.Client) -> bigquery.Client:
    _store_visits(warehouse, VISITS)
    return warehouse


def test_the_columns_are_the_keys_and_the_features_in_order(gold: bigquery.Client) -> None:
    assert list(_features(gold)[0]) == ["customer_id", "snapshot_date", *FEATURES]


def test_windows_count_the_snapshot_day_and_end_before_their_length(gold: bigquery.Client) -> None:
    row = _features(gold)[0]
    assert _pick(row, "recency_days", "first_age_91") == (5, 90)
    assert _pick(row, "active_days_7", "active_days_14", "active_days_30", "active_days_90") == (1, 1, 1, 3)
    # Age 30 belongs to the second month, age 60 to the third.
    assert _pick(row, "active_days_31_60", "active_days_61_90", "active_weeks_13") == (1, 1, 4)
    assert _pick(row, "orders_90", "items_90") == (4, 12)


def test_gaps_are_days_between_visits(gold: bigquery.Client) -> None:
    # Ages 90, 60, 30, 5.
    row = _features(gold)[0]
    assert row["avg_gap_90"] == pytest.approx(85 / 3)
    assert row["sd_gap_90"] == pytest.approx(((2 * (30 - 85 / 3) ** 2 + (25 - 85 / 3) ** 2) / 3) ** 0.5)
    assert row["max_gap_90"] == 30


def test_sales_are_exact(gold: bigquery.Client) -> None:
    row = _features(gold)[0]
    assert [str(row[name].normalize()) for name in ("sales_30", "sales_31_60")] == ["9.9", "20.1"]
    assert row["sales_90"] == 70
    assert row["aov_90"] == 17.5
    assert row["discount_rate_90"] == pytest.approx(7.5 / 77.5)
    assert row["weekend_share_90"] == pytest.approx(1 / 3)


def test_a_single_visit_of_no_value_has_no_gap_and_no_rates(gold: bigquery.Client) -> None:
    row = _features(gold)[1]
    assert row["customer_id"] == 2
    assert _pick(row, "avg_gap_90", "sd_gap_90", "max_gap_90") == (91, 0, 91)
    assert _pick(row, "aov_90", "discount_rate_90", "weekend_share_90") == (0, 0, 0)


def test_only_customers_of_the_last_90_days_are_eligible(gold: bigquery.Client) -> None:
    assert [row["customer_id"] for row in _features(gold)] == [1, 2]


def test_features_stay_the_same_when_every_later_row_is_deleted(gold: bigquery.Client) -> None:
    with_future = _features(gold)
    _store_visits(gold, [visit for visit in VISITS if visit[1] >= 0])
    assert _features(gold) == with_future


def test_features_of_a_snapshot_do_not_depend_on_the_others(gold: bigquery.Client) -> None:
    earlier, later = SNAPSHOT - timedelta(35), SNAPSHOT + timedelta(35)
    among_others = [
        row for row in _features(gold, earlier, SNAPSHOT, later) if row["snapshot_date"] == SNAPSHOT
    ]
    assert among_others == _features(gold)


def test_labels_look_30_days_ahead_and_never_at_the_score_date(gold: bigquery.Client) -> None:
    days = {"validation": 1, "test": 3, "score": 33}
    dates = {f"{split}_date": SNAPSHOT + timedelta(ahead) for split, ahead in days.items()}
    create = "CREATE OR REPLACE TABLE gold.customer_features AS"
    _run(gold, _script("gold/customer_features.sql", create, snapshot_dates=[SNAPSHOT, *dates.values()]))
    snapshots = [SNAPSHOT, *dates.values()]
    script = _script("training/examples.sql", snapshot_dates=snapshots, train_dates=[SNAPSHOT], **dates)
    rows = _run(gold, script)
    assert list(rows[0]) == ["customer_id", "snapshot_date", "split", LABEL, *FEATURES]
    assert {type(row["sales_90"]) for row in rows} == {float}
    assert {(row["split"], row["customer_id"]): row[LABEL] for row in rows} == {
        ("train", 1): 0,  # Back after 3 days.
        ("train", 2): 1,  # Back after 31 days.
        ("validation", 1): 0,
        ("validation", 2): 0,  # Back after 30 days.
        ("test", 1): 1,  # The order of the snapshot day itself is no return.
        ("test", 2): 0,
        ("score", 1): None,
        ("score", 2): None,
    }


def test_a_run_that_only_scores_has_one_split_and_no_labels(gold: bigquery.Client) -> None:
    create = "CREATE OR REPLACE TABLE gold.customer_features AS"
    _run(gold, _script("gold/customer_features.sql", create, snapshot_dates=[SNAPSHOT]))
    none = {"train_dates": [], "validation_date": None, "test_date": None}
    script = _script("training/examples.sql", snapshot_dates=[SNAPSHOT], score_date=SNAPSHOT, **none)
    rows = _run(gold, script)
    assert {(row["split"], row["customer_id"], row[LABEL]) for row in rows} == {
        ("score", 1, None),
        ("score", 2, None),
    }


def test_window_and_horizon_are_those_that_snapshots_are_planned_by(gold: bigquery.Client) -> None:
    ages = [WINDOW_DAYS, WINDOW_DAYS - 1, 0]
    _store_visits(gold, [(1, age, 1, 1, "1.00", "0.00") for age in ages])
    assert _features(gold)[0]["first_age_91"] == WINDOW_DAYS - 1
    assert f"inactive_{HORIZON_DAYS}d" == LABEL


def _features(client: bigquery.Client, *dates: date) -> list[dict[str, Any]]:
    rows = _run(client, _script("gold/customer_features.sql", snapshot_dates=list(dates or [SNAPSHOT])))
    return sorted(rows, key=lambda row: (row["snapshot_date"], row["customer_id"]))


def _store_visits(client: bigquery.Client, visits: Iterable[Visit]) -> None:
    rows = ", ".join(
        f"({customer}, {literal(SNAPSHOT - timedelta(age))}, {orders}, {items}, "
        f"NUMERIC '{sales}', NUMERIC '{discounts}')"
        for customer, age, orders, items, sales, discounts in visits
    )
    columns = (
        "customer_id INT64, order_date DATE, orders INT64, items INT64, net_sales NUMERIC, discounts NUMERIC"
    )
    _run(client, f"CREATE OR REPLACE TABLE gold.customer_daily ({columns})")
    _run(client, f"INSERT INTO gold.customer_daily VALUES {rows}")


def _run(client: bigquery.Client, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in client.query(sql).result()]


def _script(template: str, prefix: str = "", **variables: date | list[date] | None) -> str:
    """The file as it runs in the training DAG's script, where its dates are variables."""
    declarations = [
        f"DECLARE {name} {'ARRAY<DATE>' if isinstance(value, list) else 'DATE'} DEFAULT {literal(value)};\n"
        for name, value in variables.items()
    ]
    return f"{''.join(declarations)}{prefix}\n{render(template, load_environment('local'))}"


def _pick(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
