"""The files of a history: what a seed makes of purchases, corrections, repetitions and dirt."""

import csv
import gzip
import io
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from medallion.odcs import load_contract, parse_contract
from tests.dags.certificate.place import FEED

PURCHASES = 40
CANARY_EMAIL, CANARY_PHONE = "canary", "+99955"  # what every personal value of the files begins with
BEGIN = datetime(2026, 3, 1)
GENERATION_SECONDS = 1_772_000_000
DIRT = 0.1


@dataclass(frozen=True)
class Landed:
    """A version of a file: its place among all says when it landed."""

    name: str
    content: bytes
    place: int
    rows: int

    @property
    def seconds(self) -> int:
        """The time of its landing, which makes its generation."""
        return GENERATION_SECONDS + self.place


Wave = list[Landed]


def make_waves(seed: int, waves: int) -> list[Wave]:
    """What lands before each of so many runs; the last wave overwrites a file of the first."""
    chance = random.Random(seed)
    rows = [_purchase(chance, seed, number) for number in range(PURCHASES * waves)]
    rows += [_changed(chance, chance.choice(rows)) for _ in range(len(rows) // 5)]
    rows += chance.sample(rows, len(rows) // 12)  # the same line once more
    rows += [_spoilt(chance, row) for row in chance.sample(rows, int(len(rows) * DIRT))]
    chance.shuffle(rows)
    made: list[Wave] = []
    place = 0
    for wave in range(waves):
        share, files = rows[wave::waves], chance.randint(2, 4)
        landed = []
        for number in range(files):
            place += 1
            name = f"{wave}-{number}.csv{chance.choice(['', '', '.gz'])}"
            landed.append(_file(chance, name, share[number::files], place))
        made.append(landed)
    if waves > 1:
        old = chance.choice(made[0])
        kept = [row for row in rows if chance.random() < 0.2][: PURCHASES // 3]
        made[-1].append(
            _file(chance, old.name, [*kept, _purchase(chance, seed, PURCHASES * waves)], place + 1)
        )
    return made


def uploaded_again(chance: random.Random, waves: list[Wave]) -> Landed:
    """The newest version of a file, with the same content and a generation of its own."""
    newest = {file.name: file for wave in waves for file in wave}
    file = newest[chance.choice(sorted(newest))]
    return Landed(file.name, file.content, sum(map(len, waves)) + 1, file.rows)


def _purchase(chance: random.Random, seed: int, number: int) -> dict[str, str]:
    made = BEGIN + timedelta(days=chance.randrange(12), seconds=chance.randrange(86_400))
    return {
        "purchase_id": str(number),
        "changed_at": f"{made:%Y-%m-%d %H:%M:%S}",
        "purchase_date": f"{made:%Y-%m-%d}",
        "shop": f"shop-{chance.randrange(4)}",
        "amount": f"{chance.randrange(500_000) / 100:.2f}",
        "cancelled": "",
        "email": f"{CANARY_EMAIL}-{seed}-{chance.randrange(30)}@example.com",
        "phone": f"{CANARY_PHONE}{chance.randrange(10**6):06}",
    }


def _changed(chance: random.Random, row: dict[str, str]) -> dict[str, str]:
    """A later version of a purchase; one in five says that it is no more, one in five has the same time."""
    later = datetime.fromisoformat(row["changed_at"]) + timedelta(days=chance.choice([0, 1, 2, 3, 20]))
    return {
        **row,
        "changed_at": f"{later:%Y-%m-%d %H:%M:%S}",
        "purchase_date": f"{later:%Y-%m-%d}",
        "amount": f"{chance.randrange(500_000) / 100:.2f}",
        "cancelled": chance.choice(["true", "false", "", "", ""]),
    }


def _spoilt(chance: random.Random, row: dict[str, str]) -> dict[str, str]:
    spoil = {
        "amount": ["-1", "12 euros", "", "999999.99"],
        "shop": ["nowhere", "", "shop-99"],
        "changed_at": ["yesterday", "2026-02-30 10:00:00"],
        "purchase_id": ["", "x1"],
        "phone": [f"call {row['phone']}"],
    }
    column = chance.choice(sorted(spoil))
    return {**row, column: chance.choice(spoil[column])}


def _file(chance: random.Random, name: str, rows: list[dict[str, str]], place: int) -> Landed:
    columns = [
        column.name for column in parse_contract(load_contract("purchases", FEED / "conf"), name).columns
    ]
    chance.shuffle(columns)
    if chance.random() < 0.3:
        columns.append("note")
        rows = [{**row, "note": chance.choice(["", "gift", "late, sorry"])} for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator=chance.choice(["\n", "\r\n"]))
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    return Landed(
        name, gzip.compress(content, mtime=0) if name.endswith(".gz") else content, place, len(rows)
    )
