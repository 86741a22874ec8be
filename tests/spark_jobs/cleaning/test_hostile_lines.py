"""Lines of a CSV file made of whatever may break one, thousands in one job: each ends as what it is."""

import random
from collections import Counter

from tests.fuzzing import CASES, LONG
from tests.spark_jobs.cleaning.test_properties import is_row, is_sound
from tests.spark_jobs.conftest import Bronze, Rows

SOUND = "1,2017-01-01 00:00:00,1.00,AB"
PIECES = (
    *(
        ",",
        ",,",
        '"',
        '""',
        "\\",
        "\t",
        " ",
        "\r",
        "\ufeff",
        "\u2028",
        "\x0b",
        "\x1f",
        "\x7f",
        "٣",
        "😀",
        "NA",
    ),
    *(
        "1",
        "-1",
        "0",
        "9" * 25,
        "1.0",
        "1e5",
        "0x1F",
        "NaN",
        "2017-01-01 00:00:00",
        "2017-02-30 00:00:00",
        "AB",
    ),
    *(
        "=1+1",
        "@SUM(A1)",
        "+1",
        "' OR 1=1 --",
        "`; DROP TABLE x; --",
        "{{ x }}",
        "<script>",
        "../../x",
        "${x}",
    ),
)


def make_lines(number: int) -> list[str]:
    chance = random.Random() if LONG else random.Random(8)
    fields = SOUND.split(",")

    def line() -> str:
        if chance.random() < 0.5:
            return "".join(chance.choices(PIECES, k=chance.randrange(12)))
        return ",".join(chance.choice([field, field, field, chance.choice(PIECES)]) for field in fields)

    return [line() for _ in range(number)]


def test_every_line_ends_as_what_it_is(rows: Rows, bronze: Bronze) -> None:
    lines = [SOUND, *make_lines(max(CASES, 1000))]
    found = rows(bronze.land_rows("a.csv", *lines)).collect()
    expected = [line for line in lines if is_row(line)]
    assert len(found) == len(expected)
    rejected = Counter(row["raw"] for row in found if row["status"] == "rejected" and '"' not in row["raw"])
    plain = (line.removesuffix("\r") for line in expected if '"' not in line)
    assert rejected == Counter(line for line in plain if not is_sound(line))
    assert all(bool(row["reasons"]) == (row["status"] == "rejected") for row in found)
