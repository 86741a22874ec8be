"""A MySQL table in bronze: as a whole, and what changed since the last pull, on a real server."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
import pytest
from airflow.exceptions import AirflowFailException

from local.mariadb import DATABASE, PASSWORD, USER
from medallion.contracts import MAX_LINE_BYTES
from medallion.sources import SqlSource
from pipeline.bronze import Bronze
from pipeline.sql_source import pull_table

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
WHOLE = SqlSource("bikes", "trips")
CHANGES = replace(WHOLE, watermark="updated_at", overlap_minutes=30)
FIRST = "trips/updated_at/2026-01-10T11-00-00.000000-"


@pytest.fixture
def database(database_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[pymysql.cursors.Cursor]:
    """A cursor on an empty table `trips`."""
    known = {"host": "127.0.0.1", "port": database_port}
    known_to_airflow = {"login": USER, "password": PASSWORD, "schema": DATABASE}
    connection = {"conn_type": "mysql", **known, **known_to_airflow}
    monkeypatch.setenv("AIRFLOW_CONN_BIKES", json.dumps(connection))
    opened = pymysql.connect(**known, user=USER, password=PASSWORD, database=DATABASE, autocommit=True)
    with opened, opened.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS trips")
        cursor.execute(
            "CREATE TABLE trips (id INT PRIMARY KEY, fare DECIMAL(6, 2), note TEXT, updated_at DATETIME(6))"
        )
        yield cursor


def insert(database: pymysql.cursors.Cursor, *rows: tuple[Any, ...]) -> None:
    """Adds trips of an id and a time on 10 January 2026."""
    values = [(number, f"2026-01-10 {time}") for number, time in rows]
    database.executemany("INSERT INTO trips VALUES (%s, 1.50, 'ü', %s)", values)


def pull(source: SqlSource, bronze: Bronze, period: str = "2026-01-10") -> list[dict[str, Any]]:
    """The rows that a pull adds to bronze."""
    before = bronze.names()
    made = pull_table(source, period, NOW, bronze)
    new = sorted(bronze.names() - before)
    assert len(new) == made
    return [json.loads(line) for name in new for line in gzip.decompress(bronze.read(name)).splitlines()]


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return sorted(row["id"] for row in rows)


def test_a_whole_table_comes_once_a_period(database: pymysql.cursors.Cursor, bronze: Bronze) -> None:
    insert(database, (1, "10:00"), (2, "11:00:00.25"))
    first = {"id": 1, "fare": "1.50", "note": "ü", "updated_at": "2026-01-10 10:00:00.000000"}
    second = {"id": 2, "fare": "1.50", "note": "ü", "updated_at": "2026-01-10 11:00:00.250000"}
    assert pull(WHOLE, bronze) == [first, second]
    assert bronze.names() == {"trips/full/2026-01-10.jsonl.gz"}
    insert(database, (3, "11:30"))
    assert pull(WHOLE, bronze) == []
    assert ids(pull(WHOLE, bronze, "2026-01-11")) == [1, 2, 3]


def test_the_first_pull_takes_all_and_the_next_what_changed(
    database: pymysql.cursors.Cursor, bronze: Bronze
) -> None:
    insert(database, (1, "08:00"), (2, "10:45"), (3, "11:00"))
    assert ids(pull(CHANGES, bronze)) == [1, 2, 3]
    (name,) = bronze.names()
    assert name.startswith(FIRST)
    database.execute("UPDATE trips SET fare = 2, updated_at = '2026-01-10 11:20' WHERE id = 1")
    found = pull(CHANGES, bronze)
    assert ids(found) == [1, 2, 3]  # 2 and 3 are in the overlap
    assert {row["id"]: row["fare"] for row in found}[1] == "2.00"


def test_nothing_new_pulls_nothing(database: pymysql.cursors.Cursor, bronze: Bronze) -> None:
    assert pull(CHANGES, bronze) == []  # an empty table
    insert(database, (1, "08:00"), (2, "11:00"))
    pull(CHANGES, bronze)
    assert pull(CHANGES, bronze) == []
    assert pull(CHANGES, bronze, "2026-01-11") == []


def test_a_run_that_is_cleared_later_takes_what_changed_since_its_moment(
    database: pymysql.cursors.Cursor, bronze: Bronze
) -> None:
    insert(database, (1, "08:00"), (2, "11:00"))
    assert pull_table(CHANGES, "2025-12-10", NOW - timedelta(days=31), bronze) == 1
    assert [name.startswith(FIRST) for name in bronze.names()] == [True]


def test_a_late_row_within_the_overlap_is_found(database: pymysql.cursors.Cursor, bronze: Bronze) -> None:
    insert(database, (1, "08:00"), (2, "11:00"))
    pull(CHANGES, bronze)
    insert(database, (3, "10:40"))
    assert ids(pull(CHANGES, bronze)) == [2, 3]
    assert pull(CHANGES, bronze) == []


def test_a_pull_that_was_lost_is_made_again_as_it_was(
    database: pymysql.cursors.Cursor, bronze: Bronze
) -> None:
    insert(database, (1, "08:00"), (2, "11:00"))
    pull(CHANGES, bronze)
    (name,) = bronze.names()
    content = bronze.read(name)
    bronze.bucket.blob(f"{bronze.product}/{name}").delete()
    pull(CHANGES, bronze)
    assert (bronze.names(), bronze.read(name)) == ({name}, content)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "INSERT INTO trips VALUES (9, 1, '', NULL)",
            "trips.updated_at: expected a time in every row, got none in 1 rows",
        ),
        (
            "INSERT INTO trips VALUES (9, 1, '', '2099-01-01')",
            "trips.updated_at: expected no time in the future, got 2099-01-01 00:00:00",
        ),
        ("ALTER TABLE trips MODIFY updated_at INT", "expected a DATETIME or TIMESTAMP, got int"),
        ("ALTER TABLE trips DROP updated_at", "bikes: trips: Unknown column 'trips.updated_at'"),
        ("DROP TABLE trips", "bikes: trips: Table 'bikes.trips' doesn't exist"),
    ],
)
def test_a_table_that_cannot_be_gone_by_is_told(
    database: pymysql.cursors.Cursor, bronze: Bronze, statement: str, told: str
) -> None:
    if "ALTER TABLE trips MODIFY" in statement:
        database.execute(statement)
        database.execute("INSERT INTO trips VALUES (1, 1, '', 7)")
    else:
        insert(database, (1, "08:00"))
        database.execute(statement)
    with pytest.raises(AirflowFailException, match=told):
        pull_table(CHANGES, "2026-01-10", NOW, bronze)


@pytest.mark.parametrize("source", [WHOLE, CHANGES], ids=["whole", "changes"])
def test_a_row_that_is_too_long_to_be_read_again_is_told_before_anything_lands(
    database: pymysql.cursors.Cursor, bronze: Bronze, source: SqlSource
) -> None:
    insert(database, (1, "08:00"), (2, "11:00"))
    database.execute("ALTER TABLE trips MODIFY note MEDIUMTEXT")
    line = b'{"id": 2, "fare": "1.50", "note": "", "updated_at": "2026-01-10 11:00:00.000000"}\n'
    told = (
        "trips: expected rows of under 1,048,576 bytes as JSON, got 1,048,576 in row 2 of the pull, the"
        r" longest value in note\. Next: shorten it"
    )
    most = MAX_LINE_BYTES - len(line)
    database.execute("UPDATE trips SET note = REPEAT('x', %s) WHERE id = 2", most)
    with pytest.raises(AirflowFailException, match=told):
        pull_table(source, "2026-01-10", NOW, bronze)
    assert bronze.names() == set()
    database.execute("UPDATE trips SET note = REPEAT('x', %s) WHERE id = 2", most - 1)
    assert ids(pull(source, bronze)) == [1, 2]


def test_a_wrong_password_is_no_reason_to_try_again(
    database: pymysql.cursors.Cursor, bronze: Bronze, monkeypatch: pytest.MonkeyPatch, database_port: int
) -> None:
    connection = f"mysql://{USER}:wrong@127.0.0.1:{database_port}/{DATABASE}"  # pragma: allowlist secret
    monkeypatch.setenv("AIRFLOW_CONN_BIKES", connection)
    with pytest.raises(AirflowFailException, match="Access denied") as error:
        pull_table(WHOLE, "2026-01-10", NOW, bronze)
    assert "wrong" not in str(error.value)


def test_only_mysql_is_spoken(bronze: Bronze, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BIKES", "postgres://127.0.0.1/bikes")
    with pytest.raises(AirflowFailException, match="expected conn_type mysql, got 'postgres'"):
        pull_table(WHOLE, "2026-01-10", NOW, bronze)
