"""Three days of the sample beside files that nobody can use, a correction and a replay: the real DAGs."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local.airflow import AirflowApi
from local.emulators import NoEmulatorError, emulator_jar
from local.following import follow
from local.sample import PRODUCT, export_sample
from medallion.arrival import subscription_of
from tests.end_to_end.conftest import Laptop, checkout, until

HEADER = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,"
    "coupon_match_disc,week,transaction_timestamp\n"
)
CORRECTED = "900,330,1,2,1,{value},0.00,0.00,0.00,1,2017-01-02 15:00:{second}\n"

GARBAGE = {
    "binary.csv": b"\x00\x01\x02" * 1000,
    "empty.csv": b"",
    "header only.csv": HEADER.encode(),
    "truncated.csv.gz": gzip.compress((HEADER + CORRECTED * 5000).encode())[:-20],
    "wrong header.csv": HEADER.replace("basket_id", "basket").encode() + b"1,1,1,1,1,1.00,0,0,0,1,x\n",
}
REASONS = {
    "binary.csv": "not text: a zero byte at offset 0",
    "empty.csv": "empty: the file has no bytes",
    "header only.csv": "no rows: the file has none",
    "truncated.csv.gz": "unreadable: java.io.EOFException",
    "wrong header.csv": "wrong header: missing order_id or basket_id",
}
ROWS = """
    1,1,9001,1,1,1.00,0.00,0.00,0.00,1,2017-01-02 12:00:00
    1,1,9001,1,1,3.00,0.00,0.00,0.00,1,2017-01-02 12:00:01
    1,1,9002,1,1,-1.00,0.00,0.00,0.00,1,2017-01-02 12:00:00
    1,1,9003,1,one,1.005,0.00,0.00,0.00,1,yesterday
    1,1
"""


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop with code of its own, whose contract lets silver gain new columns, and whose cloud is stopped
    in the end, whatever has happened to the command that started it.
    """
    root = tmp_path_factory.mktemp("a checkout")
    checkout(root)
    edit_contract(root, new_columns="evolve")
    (root / "data").mkdir()
    made = Laptop(root / "data", root)
    yield made
    made.command("local.up", "down")


def edit_contract(root: Path, new_columns: str, least_sales: int = 0) -> None:
    """Sets the drift policy, and the least that net_sales may be."""
    file = root / "conf" / "contracts" / "customer_transactions.yaml"
    document = yaml.safe_load(file.read_text())
    table = document["schema"][0]
    others = [item for item in table["customProperties"] if item["property"] != "newColumns"]
    table["customProperties"] = [*others, {"property": "newColumns", "value": new_columns}]
    (sales,) = [item for item in table["properties"] if item["name"] == "net_sales"]
    sales["logicalTypeOptions"]["minimum"] = least_sales
    file.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three good files, five that can't be used, and one with sound, broken and repeated rows."""
    folder = tmp_path_factory.mktemp("bronze files")
    export_sample(folder, days=3)
    for name, data in GARBAGE.items():
        (folder / name).write_bytes(data)
    (folder / "mixed.csv").write_text(HEADER + "\n".join(line.strip() for line in ROWS.splitlines()))
    return folder


@pytest.fixture(scope="module")
def first(laptop: Laptop, days: Path) -> dict[str, Any]:
    """The summary of the first run; from then on the cloud is up."""
    summary = laptop.run("--input", str(days))
    up = laptop.command("local.up", "up")
    assert up.returncode == 0, up.stdout + up.stderr
    return summary


@pytest.fixture(scope="module")
def files(first: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {Path(file["uri"]).name: file for file in first["files"]}


def test_every_file_is_in_the_ledger(files: dict[str, dict[str, Any]], days: Path) -> None:
    assert set(files) == {path.name for path in days.iterdir()}
    assert len(files) == 9


def test_every_row_of_every_file_is_accounted_for(files: dict[str, dict[str, Any]]) -> None:
    for file in files.values():
        assert file["rows_read"] == file["rows_valid"] + file["rows_rejected"] + file["rows_duplicate"]
    assert sum(file["rows_read"] for file in files.values()) == 3098 + 4077 + 4106 + 5


def test_sound_broken_and_repeated_rows_are_told_apart(files: dict[str, dict[str, Any]]) -> None:
    mixed = files["mixed.csv"]
    assert (mixed["rows_valid"], mixed["rows_rejected"], mixed["rows_duplicate"]) == (1, 3, 1)


@pytest.mark.parametrize("name", GARBAGE)
def test_a_file_that_cannot_be_used_says_why(files: dict[str, dict[str, Any]], name: str) -> None:
    assert files[name]["state"] == "rejected"
    assert files[name]["reason"].startswith(REASONS[name])


def test_rejected_rows_keep_every_reason_and_their_text(first: dict[str, Any], laptop: Laptop) -> None:
    rows = laptop.query(
        "SELECT raw, STRING_AGG(CONCAT(r.column, ':', r.rule), ' ' ORDER BY r.column) AS reasons"
        " FROM quarantine.customer_transactions, UNNEST(reasons) AS r GROUP BY raw ORDER BY raw"
    )
    assert [row["reasons"] for row in rows] == [
        ":shape",
        "net_sales:minimum",
        "net_sales:type ordered_at:type quantity:type",
    ]
    assert rows[2]["raw"] == "1,1,9003,1,one,1.005,0.00,0.00,0.00,1,yesterday"


def test_gold_agrees_with_silver(first: dict[str, Any], laptop: Laptop) -> None:
    by_order = "SELECT CAST(SUM(net_sales) AS STRING) AS net_sales, SUM(orders) AS orders FROM gold.{}"
    silver = (
        "SELECT CAST(SUM(net_sales) AS STRING) AS net_sales, COUNT(DISTINCT order_id) AS orders"
        " FROM silver.customer_transactions"
    )
    tables = ("daily_sales", "customer_daily", "peak_hours", "agent_performance")
    found = laptop.rows({table: by_order.format(table) for table in tables} | {"silver": silver})
    assert [found[table] for table in tables] == [found["silver"]] * 4


def test_too_little_history_leaves_the_model_untrained(first: dict[str, Any]) -> None:
    states = {task["step"]: task["state"] for task in first["training"]}
    assert states.pop("all_clear") == "success"
    assert set(states.values()) == {"skipped"}


def test_a_run_without_new_files_makes_up_for_a_refresh_that_was_lost(
    first: dict[str, Any], laptop: Laptop
) -> None:
    laptop.query("DELETE FROM ops.refreshes WHERE table_name = 'daily_sales'")
    laptop.query("DELETE FROM gold.daily_sales WHERE TRUE")
    states = laptop.states(PRODUCT, laptop.airflow().trigger(PRODUCT))
    assert (states["clean"], states["publish"]) == ("skipped", "skipped")
    assert states["gold.daily_sales"] == "success"
    lines = laptop.query("SELECT SUM(items) AS n FROM gold.daily_sales")
    assert lines == [{"n": first["figures"]["lines"]}]
    again = laptop.states(PRODUCT, laptop.airflow().trigger(PRODUCT))
    assert again.pop("all_clear") == "success"
    assert set(again.values()) == {"skipped"}


def test_a_column_beyond_the_contract_reaches_silver(first: dict[str, Any], laptop: Laptop) -> None:
    assert set(first["drift"]["new_columns"]) == {"week"}
    weeks = laptop.query("SELECT DISTINCT week FROM silver.customer_transactions ORDER BY week")
    assert weeks == [{"week": "1"}, {"week": "2"}]


@pytest.fixture(scope="module")
def mended(first: dict[str, Any], laptop: Laptop) -> Laptop:
    """The laptop after net_sales of -1 was allowed."""
    edit_contract(laptop.root, new_columns="evolve", least_sales=-1)
    return laptop


def replay(laptop: Laptop, *arguments: str) -> str:
    """What `make replay` prints."""
    done = laptop.command("local.replay", PRODUCT, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rejected_rows_are_replayed_once_and_before_that_without_effect(mended: Laptop) -> None:
    unresolved = "SELECT COUNT(*) AS n FROM quarantine.customer_transactions WHERE resolved_by IS NULL"
    lines = "SELECT COUNT(*) AS n FROM silver.customer_transactions"
    (before,) = mended.query(lines)

    assert "Dry run: of 3 rejected rows 1 would now pass, 2 would not." in replay(mended, "--dry-run")
    assert (mended.query(unresolved), mended.query(lines)) == ([{"n": 3}], [before])

    assert "Of 3 rejected rows 1 are resolved, 2 still fail." in replay(mended)
    assert (mended.query(unresolved), mended.query(lines)) == ([{"n": 2}], [{"n": before["n"] + 1}])
    assert mended.query("SELECT SUM(items) AS n FROM gold.daily_sales") == mended.query(lines)
    assert mended.query(
        "SELECT CAST(net_sales AS FLOAT64) AS n FROM silver.customer_transactions WHERE order_id = 9002"
    ) == [{"n": -1.0}]

    assert "Nothing to replay" in replay(mended, "--where", "raw LIKE '1,1,9002,%'")


@pytest.fixture(scope="module")
def late(mended: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that corrects a row and has landed in the cloud that is up; its run has ended."""
    file = tmp_path_factory.mktemp("late") / "late.csv"
    file.write_text(
        HEADER + CORRECTED.format(value="7.00", second="01") + CORRECTED.format(value="5.00", second="00")
    )
    landed = mended.command("local.land", PRODUCT, str(file))  # which waits for the run
    assert landed.returncode == 0, landed.stdout + landed.stderr
    (run,) = re.findall(r"run (\S+): http", landed.stdout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("local.following.STATE", mended.local / "services.json")
        follow(mended.airflow(), PRODUCT, run)
    assert run.startswith("asset_triggered__" if emulator_jar("pubsub") else "manual__")
    return file


def test_what_tasks_read_and_wrote_is_told_as_lineage(late: Path, mended: Laptop) -> None:
    events = map(json.loads, (mended.local / "airflow" / "lineage.jsonl").read_text().splitlines())
    ended = [event for event in events if event["eventType"] == "COMPLETE"]
    (written,) = {
        output["name"].rpartition("/")[2]
        for event in ended
        if event["job"]["name"] == f"{PRODUCT}.discover"
        for output in event["outputs"]
    }
    assert written == "manifest.json"
    assert f"{PRODUCT}.gold.daily_sales" in {event["job"]["name"] for event in ended}


def test_a_correction_that_lands_starts_a_run_and_wins(late: Path, mended: Laptop) -> None:
    assert mended.query(
        "SELECT CAST(net_sales AS FLOAT64) AS n FROM silver.customer_transactions WHERE order_id = 1"
    ) == [{"n": 7.0}]
    touched = mended.query(
        "SELECT COUNT(*) AS n FROM ops.touched_partitions AS t JOIN ops.files AS f ON f.run = t.run"
        " WHERE f.uri LIKE '%/late.csv'"
    )
    assert touched == [{"n": 1}]

    again = mended.command("local.land", PRODUCT, str(late))
    assert again.stdout.startswith("Landed 0 new files")


def heard(api: AirflowApi) -> int:
    """How many announcements Airflow has heard; 0 as long as it can't say."""
    try:
        events = api.get("assets/events?limit=1000")["asset_events"]
    except requests.HTTPError:  # 500 while one of the runs has not started yet
        return 0
    return sum(len(event["extra"]["payload"]["message"]) for event in events)


def waiting(api: AirflowApi) -> bool:
    """Whether an event has yet to start a run."""
    try:
        return bool(api.get(f"dags/{PRODUCT}/assets/queuedEvents")["queued_events"])
    except requests.HTTPError:  # not found: there is none
        return False


def announce_again(laptop: Laptop, times: int) -> None:
    """Announces files that were processed before, many times and in any order."""
    known = laptop.query(f"SELECT uri, generation FROM ops.files WHERE product = '{PRODUCT}' ORDER BY uri")
    objects = [(*row["uri"].removeprefix("gs://").split("/", 1), str(row["generation"])) for row in known]
    fields = ("bucketId", "objectId", "objectGeneration")
    told = random.Random(7).choices(objects, k=times)
    port = json.loads((laptop.local / "ports.json").read_text())["pubsub"]
    url = f"http://127.0.0.1:{port}/v1/projects/medallion-local/topics/{subscription_of(PRODUCT)}:publish"
    messages = [{"attributes": dict(zip(fields, values, strict=True))} for values in told]
    requests.post(url, json={"messages": messages}, timeout=60).raise_for_status()


def test_a_burst_of_announcements_makes_few_runs(mended: Laptop) -> None:
    if emulator_jar("pubsub") is None:
        pytest.skip(str(NoEmulatorError("pubsub")))
    api = mended.airflow()
    known, heard_before = {run["dag_run_id"] for run in api.runs(PRODUCT)}, heard(api)
    published = mended.query("SELECT COUNT(*) AS n FROM ops.runs")
    announce_again(mended, 1000)
    until(lambda: heard(api) >= heard_before + 1000 and not waiting(api) and not api.active(PRODUCT))
    made = [run for run in api.runs(PRODUCT) if run["dag_run_id"] not in known]
    assert 1 <= len(made) <= 8
    assert {(run["run_type"], run["state"]) for run in made} == {("asset_triggered", "success")}
    assert mended.query("SELECT COUNT(*) AS n FROM ops.runs") == published  # they found nothing new
