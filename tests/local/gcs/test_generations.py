"""Generations in the local Cloud Storage, and who wins where several write by them."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import storage

from local.gcs_folder import GcsFolder, Preconditions, StorageError, StoredObject
from tests.local.gcs.conftest import put


def test_a_patch_changes_metadata_and_not_the_generation(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"kept": "1", "dropped": "2"}
    blob.upload_from_string("x")
    before = blob.generation
    blob.metadata = {"dropped": None, "added": "3"}
    blob.patch()
    after = bucket.get_blob("a")
    assert (after.generation, after.metageneration) == (before, 2)
    assert after.metadata == {"kept": "1", "added": "3"}


def test_metadata_goes_with_the_generation_it_described(bucket: storage.Bucket, folder: Path) -> None:
    blob = bucket.blob("a.csv")
    blob.metadata = {"rows": "1"}
    blob.upload_from_string("x")
    (folder / "a.csv").write_text("other")
    assert bucket.get_blob("a.csv").metadata is None


def test_each_overwrite_has_a_larger_generation(bucket: storage.Bucket) -> None:
    blob, generations = bucket.blob("a"), []
    for _ in range(20):
        blob.upload_from_string("x")
        generations.append(blob.generation)
    assert generations == sorted(set(generations))


def test_an_overwrite_outbids_a_generation_from_the_future(bucket: storage.Bucket, folder: Path) -> None:
    (folder / "a").write_text("x")
    os.utime(folder / "a", (4_000_000_000, 4_000_000_000))
    bucket.blob("a").upload_from_string("y")
    assert bucket.get_blob("a").generation == 4_000_000_000_000_001


def test_only_the_current_generation_can_be_read(bucket: storage.Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string("old")
    old = blob.generation
    blob.upload_from_string("new")
    assert bucket.blob("a", generation=blob.generation).download_as_bytes() == b"new"
    assert bucket.get_blob("a", generation=old) is None


def test_create_only_refuses_an_existing_object(bucket: storage.Bucket) -> None:
    put(bucket, "a")
    with pytest.raises(exceptions.PreconditionFailed, match="pre-conditions"):
        bucket.blob("a").upload_from_string("other", if_generation_match=0)
    assert bucket.blob("a").download_as_bytes() == b"a"


def test_one_of_sixteen_racing_creators_wins(bucket: storage.Bucket) -> None:
    def create(racer: int) -> int | None:
        try:
            bucket.blob("lock").upload_from_string(str(racer), if_generation_match=0)
        except exceptions.PreconditionFailed:
            return None
        return racer

    with ThreadPoolExecutor(16) as racers:
        winners = [racer for racer in racers.map(create, range(16)) if racer is not None]
    assert [str(winner).encode() for winner in winners] == [bucket.blob("lock").download_as_bytes()]


def test_one_of_two_writers_who_saw_one_generation_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = GcsFolder(tmp_path)
    store.create_bucket("lake")
    first = store.commit("lake", "pointer", store.spool(), {}, Preconditions())
    both_look, find = threading.Barrier(2, timeout=0.5), store.find

    def find_together(bucket: str, name: str) -> StoredObject | None:
        found = find(bucket, name)
        with contextlib.suppress(threading.BrokenBarrierError):  # the one who may look alone
            both_look.wait()
        return found

    def move(_: int) -> bool:
        try:
            store.commit("lake", "pointer", store.spool(), {}, Preconditions(first.generation))
        except StorageError:
            return False
        return True

    monkeypatch.setattr(store, "find", find_together)
    with ThreadPoolExecutor(2) as writers:
        assert sorted(writers.map(move, range(2))) == [False, True]


def test_create_only_yields_to_a_program_that_writes_the_file_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = GcsFolder(tmp_path)
    store.create_bucket("lake")
    (tmp_path / "lake/a").write_text("theirs")
    monkeypatch.setattr(store, "find", lambda *_: None)  # as it looked a moment before
    with pytest.raises(StorageError, match="pre-conditions"):
        store.commit("lake", "a", store.spool(), {}, Preconditions(generation_match=0))
    assert (tmp_path / "lake/a").read_text() == "theirs"


def test_an_overwrite_of_a_stale_generation_is_refused(bucket: storage.Bucket) -> None:
    blob = bucket.blob("pointer")
    blob.upload_from_string("v1")
    seen = blob.generation
    blob.upload_from_string("v2")
    with pytest.raises(exceptions.PreconditionFailed, match="pre-conditions"):
        blob.upload_from_string("v3", if_generation_match=seen)
