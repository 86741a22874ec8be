"""Of a person who is forgotten, older versions that buckets keep go as well, and nothing that is live."""

import io
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medallion.environments import load_environment
from medallion.odcs import parse_contract
from medallion.products import load_product
from pipeline import forget, object_versions
from pipeline.person import Person
from tests.dags.pipeline.stand_in_job import contract
from tests.dags.pipeline.versioned import VersionedBucket, row

THEIRS, OTHERS = b"order_id,second,amount\n1,0,77\n", b"order_id,second,amount\n2,0,5\n"
HEADER = b"order_id,second,amount\n"


@pytest.fixture
def bucket() -> VersionedBucket:
    return VersionedBucket()


@pytest.fixture
def person() -> Person:
    parsed = parse_contract(contract(), "orders.yaml")
    return Person(parsed, parsed.columns[3], "77")


def rewrite(bucket: Any, person: Person, *files: dict[str, Any]) -> Any:
    return forget._rewrite_bronze(bucket, files, person)


def test_of_a_file_no_version_has_the_person_any_more(bucket: VersionedBucket, person: Person) -> None:
    bucket.land("a.csv", THEIRS)
    known = bucket.land("a.csv", THEIRS + OTHERS.removeprefix(HEADER)).generation
    bucket.land("a.csv.bak", OTHERS)  # another object, whose name begins the same
    bucket.land("a.csv.bak", OTHERS)
    (rewritten,), kept = rewrite(bucket, person, row("gs://bronze/a.csv", known))
    assert (rewritten["known"], kept) == (known, {})
    assert bucket.held() == [("a.csv.bak", OTHERS), ("a.csv.bak", OTHERS), ("a.csv", OTHERS)]


def test_a_version_that_lands_meanwhile_stays(bucket: VersionedBucket, person: Person) -> None:
    known, bucket.landing = bucket.land("a.csv", THEIRS).generation, OTHERS
    rewritten, _ = rewrite(bucket, person, row("gs://bronze/a.csv", known))
    assert bucket.held() == [("a.csv", OTHERS)]
    assert rewritten == []  # a new file, still to be read


def test_a_version_that_lands_after_a_file_was_looked_at_stays(
    bucket: VersionedBucket, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = bucket.land("a.csv", OTHERS).generation

    def without(data: bytes, *_: Any) -> tuple[bytes, int]:
        bucket.land("a.csv", THEIRS)
        return data, 0

    monkeypatch.setattr(object_versions, "without", without)
    rewrite(bucket, person, row("gs://bronze/a.csv", known))
    assert bucket.held() == [("a.csv", THEIRS)]


def test_of_a_file_that_is_gone_its_versions_go(bucket: VersionedBucket, person: Person) -> None:
    known = bucket.land("a.csv", THEIRS).generation
    bucket.remove("a.csv")
    assert rewrite(bucket, person, row("gs://bronze/a.csv", known)) == ([], {})
    assert bucket.held() == []


def test_a_file_that_is_not_in_its_contracts_encoding_stays_and_is_told(
    bucket: VersionedBucket, person: Person
) -> None:
    person = replace(person, contract=replace(person.contract, encoding="UTF-16"))
    known = bucket.land("a.csv", b"odd").generation
    told = {"gs://bronze/a.csv": "not UTF-16, the encoding of its contract"}
    assert rewrite(bucket, person, row("gs://bronze/a.csv", known)) == ([], told)
    assert bucket.held() == [("a.csv", b"odd")]


def test_no_version_of_the_request_is_kept(bucket: VersionedBucket) -> None:
    for _ in range(2):
        bucket.land("erasures/1f2e.json", b"{}")
    bucket.land("erasures/1f2e.json.other", b"{}")
    forget._delete_request(bucket, "gs://lake/erasures/1f2e.json")
    assert bucket.held() == [("erasures/1f2e.json.other", b"{}")]


def test_of_copies_in_the_lake_no_version_has_the_person(bucket: VersionedBucket, person: Person) -> None:
    product = replace(load_product("customer_transactions"), name="orders", train="churn")
    theirs, others = (table([77, 5]), table([5]))
    for name in ("runs/orders/r1/rows/part-0.parquet", "runs/orders/r1/exports/x/0.json"):
        bucket.land(name, theirs)
        bucket.land(name, theirs)
    bucket.remove("runs/orders/r1/rows/part-0.parquet")
    bucket.land("training/churn/s1/examples/0.parquet", theirs)
    bucket.land("scores/churn/s1/v1/0.parquet", theirs)
    bucket.remove("scores/churn/s1/v1/0.parquet")
    bucket.land("runs/orders/r1/manifest.json", b"{}")
    bucket.land("runs/others/r1/rows/part-0.parquet", theirs)
    forget._erase_copies(bucket, product, load_environment("local"), person)
    assert [name for name, _ in bucket.held()] == [
        "runs/orders/r1/manifest.json",
        "runs/others/r1/rows/part-0.parquet",
        "training/churn/s1/examples/0.parquet",
    ]
    assert pq.read_table(io.BytesIO(bucket.held()[2][1])) == pq.read_table(io.BytesIO(others))


def table(amounts: list[int]) -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table({"amount": amounts}), written)
    return written.getvalue()
