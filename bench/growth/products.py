"""Products: what looking for new files costs when hundreds of products have none."""

import os
import time
from dataclasses import replace
from typing import Any

from bench.growth.table import Figures
from local.cloud import Cloud, deploy, start, start_over
from local.sample import PRODUCT
from local.standins import airflow_environment
from medallion.environments import Environment
from medallion.errors import MedallionError
from medallion.products import Product, load_product
from medallion.sql import literal

FILES = 20  # of each product, all of them known
LOOKS = 20  # at least, for a mean
RELEASE = "none"


def products(number: int) -> Figures:
    """The task discover of one product, and of `number` one after the other, in one process."""
    few, many = measure(1), measure(number)
    rows = [
        (f"{count}", f"{count * FILES:,}", f"{seconds * 1e3:.0f}", f"{seconds * count:.1f}")
        for count, seconds in ((1, few), (number, many))
    ]
    notes = [f"A look is {many / few:.2f} times as long with {number} products as with one."]
    headings = ("Products", "Files in the ledger", "ms a look", "Seconds for all")
    return Figures("Products with nothing new", headings, rows, notes)


def measure(number: int) -> float:
    """Seconds of a look at a product, of so many of which each has nothing new."""
    named = [replace(load_product(PRODUCT), name=f"product_{n:03}") for n in range(number)]
    services, before = start_over(keep=False, with_airflow=False), dict(os.environ)
    try:
        cloud = start(services, with_airflow=False)
        deploy(cloud, RELEASE, {})
        os.environ |= airflow_environment(cloud.ports, cloud.environment, RELEASE)
        os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
        _fill(cloud, named)
        looks = [_look(product, cloud.environment) for product in named]
        looks[0]()  # imports and connects
        looks *= -(-LOOKS // number)
        begin = time.perf_counter()
        for look in looks:
            look()
        return (time.perf_counter() - begin) / len(looks)
    finally:
        services.stop()
        os.environ.clear()
        os.environ |= before


def _fill(cloud: Cloud, named: list[Product]) -> None:
    """Files in bronze, and the same in the ledger."""
    bucket = cloud.storage().bucket(cloud.environment.buckets["bronze"])
    blobs = [bucket.blob(f"{product.name}/{file}.csv") for product in named for file in range(FILES)]
    for blob in blobs:
        blob.upload_from_string(blob.name)
    rows = ", ".join(
        f"({literal(blob.name.partition('/')[0])}, {literal(f'gs://{bucket.name}/{blob.name}')},"
        f" {blob.generation}, 1, '', 'run', 'accepted', 1, 1, 0, 0)"
        for blob in blobs
    )
    counts = "rows_read, rows_valid, rows_rejected, rows_duplicate"
    columns = f"product, uri, generation, size, checksum, run, state, {counts}"
    cloud.query(f"INSERT INTO ops.files ({columns}) VALUES {rows}")


def _look(product: Product, environment: Environment) -> Any:
    from airflow.exceptions import AirflowSkipException  # not before its settings are known

    from pipeline.product import product_dag

    task: Any = product_dag(product, environment).get_task("discover")

    def look() -> None:
        try:
            task.python_callable(params={})
        except AirflowSkipException:
            return
        raise MedallionError(f"{product.name}: expected nothing new. Next: see ops.files.")

    return look
