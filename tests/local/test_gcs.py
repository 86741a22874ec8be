"""The stand-in for Cloud Storage, driven by Google's own client."""

import contextlib
import io
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from local.gcs_folder import GcsFolder, Preconditions, StorageError, StoredObject

CHUNK = 256 * 1024
numbers = count(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with spaces") / "gcs"


@pytest.fixture(scope="module")
def url(servers: Any, root: Path) -> str:
    return f"http://{servers.start('local.gcs', '--root', root).address}"


@pytest.fixture(scope="module")
def client(url: str) -> storage.Client:
    return storage.Client("local", AnonymousCredentials(), client_options={"api_endpoint": url})


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    return client.create_bucket(f"bucket-{next(numbers)}")


@pytest.fixture
def folder(root: Path, bucket: storage.Bucket) -> Path:
    return root / bucket.name


def put(bucket: storage.Bucket, *names: str) -> None:
    for name in names:
        bucket.blob(name).upload_from_string(name)


def names(blobs: Any) -> list[str]:
    return [blob.name for blob in blobs]


def test_an_uploaded_object_is_a_plain_file(bucket: storage.Bucket, folder: Path) -> None:
    bucket.blob("orders/2017.csv").upload_from_string("a,b\n1,2\n")
    assert (folder / "orders/2017.csv").read_text() == "a,b\n1,2\n"


def test_a_file_of_another_program_is_an_object(bucket: storage.Bucket, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/part-0.csv").write_text("1,2\n")
    blob = bucket.get_blob("out/part-0.csv")
    assert (blob.size, blob.content_type, blob.download_as_bytes()) == (4, "text/csv", b"1,2\n")


@pytest.mark.parametrize(
    "name", ["a b.csv", "ünï/日本.csv", "100%.csv", "%41", "a#b", "a+b", "day=1/c=ü d", "a?b&c"]
)
def test_a_name_comes_back_as_it_was_given(bucket: storage.Bucket, folder: Path, name: str) -> None:
    bucket.blob(name).upload_from_string("x")
    assert (folder / name).read_text() == "x"
    assert names(bucket.list_blobs()) == [name]
    assert bucket.blob(name).download_as_bytes() == b"x"


def test_an_upload_answers_with_the_known_checksums(bucket: storage.Bucket) -> None:
    blob = bucket.blob("digits")
    blob.upload_from_string("123456789")
    assert (blob.crc32c, blob.md5_hash) == ("4waSgw==", "JfnnlDI7RTiF9RgfG2JNCw==")


def test_a_download_can_be_a_range(bucket: storage.Bucket) -> None:
    bucket.blob("digits").upload_from_string("0123456789")
    assert bucket.blob("digits").download_as_bytes(start=3, end=5) == b"345"


def test_an_empty_object_reads_as_empty(bucket: storage.Bucket) -> None:
    bucket.blob("empty").upload_from_string("")
    with bucket.blob("empty").open("rb") as reader:
        assert reader.read() == b""


def test_an_upload_can_come_in_chunks(bucket: storage.Bucket) -> None:
    content = os.urandom(2 * CHUNK + 1000)
    blob = bucket.blob("large", chunk_size=CHUNK)
    blob.upload_from_file(io.BytesIO(content))
    assert bucket.blob("large").download_as_bytes() == content


def test_an_upload_in_chunks_is_seen_only_when_it_is_whole(bucket: storage.Bucket) -> None:
    with bucket.blob("streamed").open("wb", chunk_size=CHUNK) as writer:
        writer.write(b"x" * (CHUNK + 1))
        assert not bucket.blob("streamed").exists()
    assert bucket.get_blob("streamed").size == CHUNK + 1


def test_an_interrupted_upload_says_how_far_it_has_come(bucket: storage.Bucket) -> None:
    session = bucket.blob("resumed").create_resumable_upload_session()
    requests.put(session, data=b"0123", headers={"Content-Range": "bytes 0-3/8"})
    progress = requests.put(session, headers={"Content-Range": "bytes */8"})
    assert (progress.status_code, progress.headers["Range"]) == (308, "bytes=0-3")


def test_a_media_upload_keeps_its_content_type(url: str, bucket: storage.Bucket) -> None:
    requests.post(
        f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=page",
        data=b"<p>",
        headers={"Content-Type": "text/html"},
    ).raise_for_status()
    blob = bucket.get_blob("page")
    assert (blob.content_type, blob.size) == ("text/html", 3)


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


def test_a_copy_keeps_content_and_metadata(bucket: storage.Bucket) -> None:
    blob = bucket.blob("from")
    blob.metadata = {"source": "shop"}
    blob.upload_from_string("x")
    bucket.copy_blob(blob, bucket, "to/here")
    copy = bucket.get_blob("to/here")
    assert (copy.download_as_bytes(), copy.metadata) == (b"x", {"source": "shop"})


def test_a_rewrite_from_a_stale_generation_is_refused(bucket: storage.Bucket) -> None:
    put(bucket, "from")
    with pytest.raises(exceptions.PreconditionFailed, match="pre-conditions"):
        bucket.blob("to").rewrite(bucket.blob("from"), if_source_generation_match=1)


def test_compose_joins_objects_in_order(bucket: storage.Bucket) -> None:
    put(bucket, "1", "2", "3")
    bucket.blob("123").compose([bucket.blob("1"), bucket.blob("2"), bucket.blob("3")])
    assert bucket.blob("123").download_as_bytes() == b"123"


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


def test_a_deleted_object_is_gone(bucket: storage.Bucket, folder: Path) -> None:
    put(bucket, "a")
    bucket.blob("a").delete()
    assert not (folder / "a").exists()
    with pytest.raises(exceptions.NotFound, match="No such object"):
        bucket.blob("a").delete()


def test_an_object_and_a_folder_cannot_have_one_name(bucket: storage.Bucket) -> None:
    put(bucket, "a")
    with pytest.raises(exceptions.Conflict, match="a/b: a folder and an object"):
        bucket.blob("a/b").upload_from_string("x")


def test_a_bucket_is_a_folder(client: storage.Client, bucket: storage.Bucket, folder: Path) -> None:
    assert folder.is_dir()
    assert bucket.name in names(client.list_buckets())
    with pytest.raises(exceptions.Conflict, match="already own"):
        client.create_bucket(bucket.name)


def test_only_an_empty_bucket_can_be_deleted(bucket: storage.Bucket) -> None:
    put(bucket, "in/a")
    with pytest.raises(exceptions.Conflict, match="not empty"):
        bucket.delete()
    bucket.blob("in/a").delete()
    bucket.delete()
    assert not bucket.exists()


@pytest.mark.parametrize("name", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "./a"])
def test_a_name_that_is_no_path_below_its_bucket_is_refused(
    url: str, bucket: storage.Bucket, name: str
) -> None:
    answer = requests.get(f"{url}/storage/v1/b/{bucket.name}/o/{quote(name, safe='').replace('.', '%2E')}")
    assert answer.status_code == 400
    with pytest.raises(exceptions.BadRequest, match="Invalid object name"):
        bucket.blob(name).upload_from_string("x")


def test_a_prefix_does_not_climb_out_of_its_bucket(client: storage.Client, bucket: storage.Bucket) -> None:
    other = client.create_bucket(f"{bucket.name}-other")
    put(other, "secret")
    assert names(bucket.list_blobs(prefix=f"../{other.name}/")) == []


def test_an_error_reads_like_googles(url: str, bucket: storage.Bucket) -> None:
    answer = requests.get(f"{url}/storage/v1/b/{bucket.name}/o/none")
    message = f"No such object: {bucket.name}/none"
    detail = {"message": message, "domain": "global", "reason": "notFound"}
    assert json.loads(answer.text) == {"error": {"code": 404, "message": message, "errors": [detail]}}
