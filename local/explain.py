"""`make explain`: a row's passport: where it came from, what it won against, and what was made of it."""

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from google.api_core.exceptions import NotFound

from local.cloud import Cloud
from local.following import run_command, say
from local.query import on_kept_data, print_table
from medallion.contracts import Contract
from medallion.errors import MedallionError
from medallion.odcs import load_contract, parse_contract
from medallion.products import GoldTable, Product, load_product
from medallion.snapshots import taught_by, written_plans
from medallion.sql import render, standing_alone

# What training publishes beside a product's own gold tables.
SCORES = GoldTable("customer_scores", "touched_partitions", "snapshot_date", ("customer_id",))

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]  # the rows of a template in sql/explain, by its name and values


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)

    def tell(cloud: Cloud) -> None:
        for title, rows in passport(cloud, load_product(arguments.product), arguments.key):
            say(f"\n{title}")
            print_table(rows)

    return run_command(lambda: on_kept_data(tell))


def passport(cloud: Cloud, product: Product, key: str) -> Iterator[tuple[str, Rows]]:
    """What is known of the row of a key, as titles with rows; `key` has its values, with commas between.

    Raises MedallionError for a key that is none of the product's, or that no row has.
    """
    contract = parse_contract(load_contract(product.contract), f"conf/contracts/{product.contract}.yaml")
    values = _key_values(contract, key)

    def ask(template: str, **also: Any) -> Rows:
        known: dict[str, Any] = {
            "product": product.name,
            "contract": contract,
            "partition_by": product.partition_by,
            "key": values,
        }
        try:
            return cloud.query(render(f"explain/{template}.sql", cloud.environment, **known, **also))
        except NotFound:  # nothing was ever rejected, or scored
            return []

    versions = ask("versions")
    rejected = ask("rejected", patterns=[standing_alone(value) for value in values])
    if not versions and not rejected:
        named = ", ".join(contract.key)
        raise MedallionError(
            f"{product.name}: expected a row whose {named} is {key}, got none, neither valid nor rejected. "
            "Next: mend the key, or look for its file in ops.files."
        )
    yield "Versions of the row, newest first", versions
    yield "Rejected rows that name the key", rejected
    shown = next((version for version in versions if version["shown"]), None)
    if shown is not None:
        yield from _fed(product, contract, shown["partition_date"], ask)
        if product.train:
            yield f"Versions of {product.train} that learned from it", _learned(cloud, product.train, shown)


def _key_values(contract: Contract, key: str) -> list[str]:
    values = [value.strip() for value in key.split(",")]
    if len(values) != len(contract.key) or not all(values):
        expected = f"values of {', '.join(contract.key)}, with commas between"
        raise MedallionError(f"KEY: expected {expected}, got {key!r}. Next: mend the key.")
    return values


def table_fed(contract: Contract, table: GoldTable) -> dict[str, Any]:
    """What explain/fed.sql asks of a gold table: the columns of its layout that silver has too, `shared`;
    that of its date, `dated`, where silver has it; and whether else a partitioned table is read as a `whole`.
    """
    stored = {column.name for column in contract.stored_columns}
    layout = [name for name in (table.partition_by, *table.cluster_by) if name]
    shared = [name for name in layout if name in stored]
    dated = table.partition_by if table.partition_by in shared else None
    whole = table.partition_by is not None and dated is None
    return {"table": table.table, "shared": shared, "dated": dated, "whole": whole}


def _fed(product: Product, contract: Contract, partition_date: date, ask: Ask) -> Iterator[tuple[str, Rows]]:
    for table in (*product.gold, *([SCORES] if product.train else [])):
        fed = table_fed(contract, table)
        if fed["shared"]:
            yield f"Part of gold.{table.table}", ask("fed", partition_date=partition_date, **fed)


def _learned(cloud: Cloud, model: str, shown: dict[str, Any]) -> Rows:
    """The versions one of whose snapshots looked at the row's date, made after the row was published."""
    lake = cloud.storage().bucket(cloud.environment.buckets["lake"])
    found = []
    for version, written, plan in written_plans(lake, model):
        looked = taught_by(plan, shown["partition_date"]) if written >= shown["published_at"] else []
        if looked:
            told = {"snapshots": len(looked), "first": looked[0], "last": looked[-1]}
            found.append({"version": version, **told})
    return found


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make explain", description=__doc__)
    parser.add_argument("product")
    parser.add_argument("key", help="values of the contract's key, with commas between")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
