"""`make forget`: takes one customer out of a product: its tables, files, scores and snapshots."""

import argparse
import json
import sys
from typing import Any
from uuid import uuid4

from local.airflow import AirflowApi
from local.cloud import Cloud
from local.following import run_command, run_on_kept_data, say
from local.query import print_table
from medallion.products import load_product
from medallion.sql import literal

CUSTOMER = "customer_id"


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    name = uuid4().hex

    def request(cloud: Cloud) -> dict[str, Any]:
        """Leaves who is meant in an object of its own: Airflow keeps a run's parameters, and logs them."""
        blob = cloud.storage().bucket(cloud.environment.buckets["lake"]).blob(f"erasures/{name}.json")
        blob.upload_from_string(json.dumps({"column": arguments.column, "value": arguments.customer}))
        return {"forget": {"request": f"gs://{blob.bucket.name}/{blob.name}"}}

    def tell(cloud: Cloud, api: AirflowApi, run_id: str) -> None:
        table, run = f"{cloud.environment.datasets['ops']}.erasures", literal(f"forget-{name}")
        rows = cloud.query(f"SELECT * EXCEPT (product, run) FROM `{table}` WHERE run = {run}")
        print_table([{**row, "files_kept": len(row["files_kept"])} for row in rows])
        say("What may still hold the customer, and why, is in ops.erasures.files_kept.")

    return run_command(lambda: run_on_kept_data(load_product(arguments.product), request, tell))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make forget", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("customer")
    parser.add_argument("--column", default=CUSTOMER, help="the column that tells customers")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
