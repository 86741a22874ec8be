"""Listings of the local Cloud Storage: their order, folders, pages and globs."""

from pathlib import Path

import pytest
from google.cloud import storage

from tests.local.gcs.conftest import names, put


def test_a_listing_is_in_order_of_names(bucket: storage.Bucket) -> None:
    put(bucket, "b/1", "a", "b.csv", "b/0")
    assert names(bucket.list_blobs()) == ["a", "b.csv", "b/0", "b/1"]


def test_a_delimiter_rolls_folders_up(bucket: storage.Bucket) -> None:
    put(bucket, "in/a.csv", "in/2017/b.csv", "in/2017/c.csv", "in/2018/d.csv", "out/e.csv")
    blobs = bucket.list_blobs(prefix="in/", delimiter="/")
    assert names(blobs) == ["in/a.csv"]
    assert blobs.prefixes == {"in/2017/", "in/2018/"}


def test_pages_hold_every_name_once(bucket: storage.Bucket) -> None:
    put(bucket, "a", "b/1", "b/2", "c", "d/1", "e")
    pages = list(bucket.list_blobs(delimiter="/", page_size=2).pages)
    assert [(names(page), list(page.prefixes)) for page in pages] == [
        (["a"], ["b/"]),
        (["c"], ["d/"]),
        (["e"], []),
    ]


def test_offsets_bound_a_listing(bucket: storage.Bucket) -> None:
    put(bucket, "day=1", "day=2", "day=3", "day=4")
    assert names(bucket.list_blobs(start_offset="day=2", end_offset="day=4")) == ["day=2", "day=3"]


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.csv", ["a.csv"]),
        ("**.csv", ["a.csv", "in/b.csv", "in/x/c.csv"]),
        ("in/**/*.csv", ["in/b.csv", "in/x/c.csv"]),
        ("in/?.{csv,json}", ["in/b.csv", "in/d.json"]),
        ("in/[!b].json", ["in/d.json"]),
    ],
)
def test_a_glob_selects_names(bucket: storage.Bucket, glob: str, found: list[str]) -> None:
    put(bucket, "a.csv", "in/b.csv", "in/d.json", "in/x/c.csv")
    assert names(bucket.list_blobs(match_glob=glob)) == found


def test_what_spark_leaves_while_it_writes_is_hidden(bucket: storage.Bucket, folder: Path) -> None:
    for name in ("out/.part-0.crc", "out/_temporary/0/part-0", "out/.spark-staging-1/part-0", "out/part-0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert names(bucket.list_blobs()) == ["out/part-0"]


def test_hashes_are_told_in_listings_unless_the_bucket_has_a_key(
    client: storage.Client, bucket: storage.Bucket
) -> None:
    put(bucket, "a")
    encrypted = client.bucket(f"{bucket.name}-encrypted")
    encrypted.default_kms_key_name = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    put(client.create_bucket(encrypted), "a")
    whole = bucket.get_blob("a")
    for place, expected in ((bucket, (whole.crc32c, whole.md5_hash)), (encrypted, (None, None))):
        (listed,) = place.list_blobs()
        assert (listed.crc32c, listed.md5_hash) == expected
        listed.reload()
        assert (listed.crc32c, listed.md5_hash) == (whole.crc32c, whole.md5_hash)


def test_a_prefix_does_not_climb_out_of_its_bucket(client: storage.Client, bucket: storage.Bucket) -> None:
    other = client.create_bucket(f"{bucket.name}-other")
    put(other, "secret")
    assert names(bucket.list_blobs(prefix=f"../{other.name}/")) == []
