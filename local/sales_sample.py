"""A sample for the product `sales`: two weeks of four sellers, each with habits of its own."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST, DAYS = datetime(2026, 1, 5, tzinfo=UTC), 14
SELLERS = ("acorn", "birch", "cedar", "dogwood")
COLUMNS = ("seller", "order", "sku", "sold_at", "reported_at", "quantity", "unit_price", "discount")
ORDERS = 40  # a seller and day
Sale = dict[str, Any]


def export_sales(folder: Path) -> None:
    """Writes the files that the sellers drop.

    acorn sends CSV, a file a day; birch JSON Lines, and a column more from the second week on; cedar sends
    each day's sales three days late; dogwood two files a day, of which the evening's corrects some of the
    morning's, and now and then a line that nobody can use.
    """
    random_numbers = random.Random(20260105)
    for day in range(DAYS):
        for seller in SELLERS:
            _export_day(folder / seller, seller, day, random_numbers)


def _export_day(folder: Path, seller: str, day: int, chance: random.Random) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    date = FIRST + timedelta(days=day)
    late = timedelta(days=3 if seller == "cedar" else 0)
    sales = [_sale(seller, day, number, date, late, chance) for number in range(ORDERS)]
    name = f"{date + late:%Y-%m-%d}"
    match seller:
        case "birch":
            channels = [{"channel": chance.choice(("app", "web"))} if day >= 7 else {} for _ in sales]
            _write_lines(
                folder / f"{name}.jsonl", [sale | more for sale, more in zip(sales, channels, strict=True)]
            )
        case "dogwood":
            evening = f"{date + timedelta(hours=22):%Y-%m-%dT%H:%M:%SZ}"
            corrected = [
                sale | {"quantity": sale["quantity"] + 1, "reported_at": evening} for sale in sales[::10]
            ]
            _write_csv(folder / f"{name}-morning.csv", sales)
            _write_lines(folder / f"{name}-evening.jsonl", [*corrected, {**sales[1], "quantity": 0}])
        case _:
            _write_csv(folder / f"{name}.csv", sales)


def _sale(seller: str, day: int, number: int, date: datetime, late: timedelta, chance: random.Random) -> Sale:
    sold = date + timedelta(hours=8, seconds=chance.randrange(10 * 3600))
    price = chance.randrange(200, 8000) / 100
    quantity = chance.choice((1, 1, 1, 2, 3))
    return {
        "seller": seller,
        "order": f"{day * 1000 + number // 2 + 1}",
        "sku": f"{seller[:2].upper()}-{number % 2 * 50 + chance.randrange(50):04}",
        "sold_at": f"{sold:%Y-%m-%dT%H:%M:%SZ}",
        "reported_at": f"{date + late + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}",
        "quantity": quantity,
        "unit_price": f"{price:.2f}",
        "discount": f"{price * quantity / 10:.2f}" if chance.random() < 0.2 else None,
    }


def _write_csv(path: Path, sales: list[Sale]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(sales)


def _write_lines(path: Path, sales: list[Sale]) -> None:
    path.write_text("".join(f"{json.dumps(sale)}\n" for sale in sales))
