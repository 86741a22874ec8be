"""The sample year as gold.customer_daily, and the examples that the snapshot step makes of it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
from google.cloud import bigquery

from local.sample import sample_transactions
from medallion.environments import Environment, load_environment
from medallion.features import snapshot_script
from medallion.models import load_model
from medallion.snapshots import plan_snapshots
from medallion.sql import render

MODEL = load_model("customer_churn")
TIMEZONE = "America/New_York"
BUCKET = "sample-model"
FIRST = date(2017, 1, 1)


def environment() -> Environment:
    """The local environment, with datasets of the sample's own."""
    local = load_environment("local")
    return replace(local, datasets={kind: f"{name}_sample" for kind, name in local.datasets.items()})


def load_customer_daily(client: bigquery.Client, root: Path) -> pd.DataFrame:
    """Fills gold.customer_daily of an emulator, whose buckets are the folders of root, with the sample.

    Returns its rows, with money in cents.
    """
    place = environment()
    for dataset in place.datasets.values():
        client.create_dataset(dataset, exists_ok=True)
    client.query(render("ops/tables.sql", place)).result()
    folder = root / BUCKET
    folder.mkdir(exist_ok=True)
    frame = _customer_daily()
    frame.to_parquet(folder / "customer_daily.parquet", index=False)
    daily, raw = (f"{place.datasets[kind]}.customer_daily" for kind in ("gold", "staging"))
    columns = "customer_id INT64, order_date DATE, orders INT64, items INT64"
    client.query(f"CREATE OR REPLACE TABLE {raw} ({columns}, net_cents INT64, discount_cents INT64)").result()
    loading = bigquery.LoadJobConfig(source_format="PARQUET")
    client.load_table_from_uri(
        f"gs://{BUCKET}/customer_daily.parquet", f"{client.project}.{raw}", job_config=loading
    ).result()
    client.query(
        f"CREATE OR REPLACE TABLE {daily} PARTITION BY order_date AS"
        " SELECT customer_id, order_date, orders, items,"
        " CAST(net_cents AS NUMERIC) / 100 AS net_sales, CAST(discount_cents AS NUMERIC) / 100 AS discounts"
        f" FROM {raw}"
    ).result()
    return frame


def take_snapshot(client: bigquery.Client, root: Path, last: date, name: str) -> Path:
    """The folder of the examples of a run whose newest business date is `last`."""
    plan = plan_snapshots(FIRST, last, MODEL.snapshots["spacing_days"])
    uri = f"gs://{BUCKET}/{name}"
    client.query(snapshot_script(MODEL.name, name, plan, None, uri, environment())).result()
    return root / BUCKET / name


def _customer_daily() -> pd.DataFrame:
    """What sql/gold/customer_daily.sql makes of the sample's order lines, with money in whole cents."""
    lines = sample_transactions()
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(TIMEZONE)
    money = ["sales_value", "retail_disc", "coupon_match_disc"]
    cents = (lines[money] * 100).round().astype("int64")
    days = lines.assign(
        customer_id=lines["household_id"],
        order_date=local.dt.date,
        net_cents=cents["sales_value"],
        discount_cents=cents["retail_disc"] + cents["coupon_match_disc"],
    ).groupby(["customer_id", "order_date"], as_index=False)
    return days.agg(
        orders=("basket_id", "nunique"),
        items=("basket_id", "size"),
        net_cents=("net_cents", "sum"),
        discount_cents=("discount_cents", "sum"),
    )
