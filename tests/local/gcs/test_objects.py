"""Objects and buckets of the local Cloud Storage, as Google's own client sees them."""

import io
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from tests.local.gcs.conftest import names, put

CHUNK = 256 * 1024


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


def test_a_disk_that_is_full_is_told_as_what_no_client_asks_again(root: Path, bucket: storage.Bucket) -> None:
    before = set((root / ".uploads").iterdir())
    session = bucket.blob("a").create_resumable_upload_session(size=4)
    (spooled,) = set((root / ".uploads").iterdir()) - before
    spooled.unlink()
    spooled.symlink_to("/dev/full")
    answer = requests.put(session, data=b"abcd", headers={"Content-Range": "bytes 0-3/4"})
    error = exceptions.from_http_response(answer)
    assert (error.code, DEFAULT_RETRY._predicate(error)) == (507, False)
    assert "No space left on device" in error.message
    assert names(bucket.list_blobs()) == []


def test_a_media_upload_keeps_its_content_type(url: str, bucket: storage.Bucket) -> None:
    requests.post(
        f"{url}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=page",
        data=b"<p>",
        headers={"Content-Type": "text/html"},
    ).raise_for_status()
    blob = bucket.get_blob("page")
    assert (blob.content_type, blob.size) == ("text/html", 3)


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


def test_an_error_reads_like_googles(url: str, bucket: storage.Bucket) -> None:
    answer = requests.get(f"{url}/storage/v1/b/{bucket.name}/o/none")
    message = f"No such object: {bucket.name}/none"
    detail = {"message": message, "domain": "global", "reason": "notFound"}
    assert json.loads(answer.text) == {"error": {"code": 404, "message": message, "errors": [detail]}}
